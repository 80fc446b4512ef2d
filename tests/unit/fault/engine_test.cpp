#include "common/fault/engine.hpp"

#include <gtest/gtest.h>

namespace pnfs::fault {
namespace {

PNFS_XDR_ENUM(stat9, (STAT9_OK, 0), (STAT9_IO, 5), (STAT9_BUSY, 16))
PNFS_XDR_ENUM(mode9, (MODE9_READ, 1), (MODE9_RW, 2))

struct part9 {
  uint64_t offset = 0;
  mode9 mode = MODE9_READ;
  PNFS_XDR(part9, offset, mode)
};
struct GET9args {
  mode9 mode = MODE9_RW;
  uint64_t offset = 0;
  uint32_t count = 0;
  xdr::String<> name;
  PNFS_XDR(GET9args, mode, offset, count, name)
};
struct GET9resok {
  uint32_t seqid = 7;
  xdr::FixedOpaque<4> verifier;
  xdr::Array<part9> parts;
  PNFS_XDR(GET9resok, seqid, verifier, parts)
};
struct GET9res {
  stat9 status = STAT9_OK;
  GET9resok resok;
  PNFS_XDR_UNION(GET9res, status, PNFS_ARM(STAT9_OK, resok), PNFS_DEFAULT_VOID())
};

struct Actor : NodeActor {
  std::vector<NodeAction> done;
  void perform(const NodeAction& action) override { done.push_back(action); }
};

struct EngineTest : ::testing::Test {
  Vocabulary vocabulary;
  ManualClock clock;
  Actor actor;
  std::unique_ptr<Engine> engine;
  Arena arena;
  GET9args args;
  GET9res res;
  std::vector<std::byte> bytes = std::vector<std::byte>(64);
  std::vector<std::string_view> compound = {"PUT", "GET"};

  EngineTest() {
    vocabulary.add({.domain = Domain::operation,
                    .name = "GET",
                    .section = "1.2",
                    .args = &xdr::type_info<GET9args>,
                    .res = &xdr::type_info<GET9res>,
                    .valid_statuses = {STAT9_IO}});
    vocabulary.add({.domain = Domain::operation, .name = "PUT", .section = ""});
    vocabulary.add({.domain = Domain::callback, .name = "CB_GET", .section = ""});
    vocabulary.add({.domain = Domain::scsi, .name = "WRITE(10)", .section = ""});
    vocabulary.set_statuses(Domain::operation, stat9_enumerators, {"STAT9_"});
    fresh();
  }
  void fresh(uint64_t seed = 1) {
    engine = std::make_unique<Engine>(vocabulary, clock, Engine::Options{.node = "ds1", .seed = seed, .actor = &actor});
  }
  Context context(Stage stage = Stage::before, std::string_view op = "GET") {
    Context c;
    c.stage = stage;
    c.op = op;
    c.client = "Linux vm1";
    c.address = "10.0.0.1:700";
    c.path = "/dir/file";
    c.fileid = 17;
    c.compound = compound;
    c.index = 1;
    c.args = xdr::FieldView::of(args);
    if (stage == Stage::after) c.res = xdr::FieldView::of(res);
    if (stage == Stage::reply) c.bytes = &bytes;
    c.arena = &arena;
    return c;
  }
  void add(std::string_view rule) {
    const auto added = engine->add(rule);
    ASSERT_TRUE(added) << added.error().reason;
  }
  Verdict ask(Stage stage = Stage::before, std::string_view op = "GET") {
    Context c = context(stage, op);
    return engine->consult(c);
  }
  // Whether a rule with these conditions acts.
  bool acts(std::string_view conditions, Stage stage = Stage::before) {
    fresh();
    const std::string rule = fmt::format("{} GET {} do delay 1ms", to_string(stage), conditions);
    const auto added = engine->add(rule);
    EXPECT_TRUE(added) << added.error().reason;
    return static_cast<bool>(ask(stage));
  }
};

TEST_F(EngineTest, WithoutRulesNothingIsActive) {
  EXPECT_FALSE(engine->active(Domain::operation, Stage::before));
  add("before GET do return IO");
  EXPECT_TRUE(engine->active(Domain::operation, Stage::before));
  EXPECT_FALSE(engine->active(Domain::operation, Stage::after));
  EXPECT_FALSE(engine->active(Domain::callback, Stage::before));
  engine->clear();
  EXPECT_FALSE(engine->active(Domain::operation, Stage::before));
}

TEST_F(EngineTest, ReturnsAStatusAtItsPlaceOnly) {
  add("before GET do return IO");
  EXPECT_EQ(ask().status, STAT9_IO);
  EXPECT_FALSE(ask(Stage::after));
  EXPECT_FALSE(ask(Stage::before, "PUT"));
  EXPECT_EQ(engine->list()[0].hits, 1u);
  EXPECT_EQ(ask().rule, "rule 1: before GET do return IO");
}

TEST_F(EngineTest, Conditions) {
  args.offset = 4096;
  args.count = 100;
  args.name.text = "a.txt";
  EXPECT_TRUE(acts("client=Linux*"));
  EXPECT_FALSE(acts("client=Solaris*"));
  EXPECT_TRUE(acts("client~vm"));
  EXPECT_TRUE(acts("\"client=Linux vm1\""));
  EXPECT_TRUE(acts("address=10.*"));
  EXPECT_TRUE(acts("file=/dir/*"));
  EXPECT_TRUE(acts("file=17"));
  EXPECT_FALSE(acts("file=/x,18"));
  EXPECT_TRUE(acts("file!=/x,18"));
  EXPECT_TRUE(acts("mode=RW"));
  EXPECT_FALSE(acts("mode=READ"));
  EXPECT_TRUE(acts("mode=READ,RW"));
  EXPECT_TRUE(acts("args.mode!=READ"));
  EXPECT_TRUE(acts("count>=100"));
  EXPECT_FALSE(acts("count>100"));
  EXPECT_TRUE(acts("offset=4096")) << "from the arguments";
  EXPECT_TRUE(acts("range=4195-9999"));
  EXPECT_FALSE(acts("range=4196-9999"));
  EXPECT_FALSE(acts("range=0-4095"));
  EXPECT_TRUE(acts("range=0-4096"));
  EXPECT_TRUE(acts("name=*.txt"));
  EXPECT_TRUE(acts("name=hex:612e747874"));
  EXPECT_TRUE(acts("compound=put"));
  EXPECT_FALSE(acts("compound!=PUT"));
  EXPECT_TRUE(acts("index=1 minorversion=1"));
  EXPECT_TRUE(acts("status=OK", Stage::after));
  EXPECT_FALSE(acts("status=IO", Stage::after));
  EXPECT_TRUE(acts("seqid=7", Stage::after));
  EXPECT_TRUE(acts("res.parts.count=0 args.mode=RW", Stage::after));
  EXPECT_FALSE(acts("parts[0].mode=RW", Stage::after)) << "not there";
}

TEST_F(EngineTest, CountingLimits) {
  auto pattern = [&](std::string_view limits) {
    fresh();
    add(fmt::format("before GET {} do delay 1ms", limits));
    std::string out;
    for (int i = 0; i < 8; ++i) out += ask() ? 'x' : '.';
    return out;
  };
  EXPECT_EQ(pattern("once"), "x.......");
  EXPECT_EQ(pattern("times=3"), "xxx.....");
  EXPECT_EQ(pattern("nth=3"), "..x.....");
  EXPECT_EQ(pattern("every=3"), "..x..x..");
  EXPECT_EQ(pattern("every=2 times=2"), ".x.x....");
  EXPECT_EQ(pattern("probability=1"), "xxxxxxxx");
  EXPECT_EQ(pattern("probability=0%"), "........");
  EXPECT_EQ(engine->list()[0].matched, 8u);
}

TEST_F(EngineTest, TimeLimitsCountFromTheRulesBirth) {
  clock.advance(std::chrono::seconds(100));
  add("before GET from=2s until=5s do delay 1ms");
  EXPECT_FALSE(ask());
  clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(ask());
  clock.advance(std::chrono::seconds(3));
  EXPECT_FALSE(ask());
}

TEST_F(EngineTest, SameSeedSameDecisions) {
  auto pattern = [&](uint64_t seed, bool other_rule) {
    fresh(seed);
    if (other_rule) add("before GET probability=10% do delay 1ms");
    add("before GET probability=50% do return IO");
    std::string out;
    for (int i = 0; i < 64; ++i) out += ask().status ? 'x' : '.';
    return out;
  };
  EXPECT_EQ(pattern(1, false), pattern(1, false));
  EXPECT_EQ(pattern(1, false), pattern(1, true)) << "another rule changes nothing";
  EXPECT_NE(pattern(1, false), pattern(2, false));
}

TEST_F(EngineTest, RulesAddUp) {
  add("before GET do delay 1s then return IO");
  add("before GET do delay 2s then return BUSY force then close");
  const Verdict v = ask();
  EXPECT_EQ(v.delay, std::chrono::seconds(3));
  EXPECT_EQ(v.status, STAT9_IO) << "the first rule's";
  EXPECT_TRUE(v.close);
  EXPECT_NE(v.rule.find("rule 1: "), std::string::npos);
  EXPECT_NE(v.rule.find("; rule 2: "), std::string::npos);
}

TEST_F(EngineTest, NodesRemoveAndHits) {
  add("on mds,ds2 before GET do return IO");
  add("on ds* before GET do delay 1ms");
  EXPECT_FALSE(engine->list()[0].here);
  std::vector<RuleId> seen;
  engine->on_hit = [&](const RuleState& rule, const Context&) { seen.push_back(rule.id); };
  EXPECT_FALSE(ask().status);
  EXPECT_EQ(seen, std::vector<RuleId>{2});
  EXPECT_TRUE(engine->remove(2));
  EXPECT_FALSE(engine->remove(2));
  EXPECT_FALSE(ask());
  EXPECT_FALSE(engine->active(Domain::operation, Stage::before)) << "rule 1 is another node's";
}

TEST_F(EngineTest, ConnectionActions) {
  add("before GET do drop request");
  add("after GET do drop reply");
  add("reply PUT do duplicate 2 then reorder");
  add("before connection.CONNECT do refuse");
  add("before connection.RECORD do blackhole");
  EXPECT_TRUE(ask().drop_request);
  EXPECT_TRUE(ask(Stage::after).drop_reply);
  const Verdict reply = ask(Stage::reply);
  EXPECT_EQ(reply.duplicate, 2u) << "PUT is in the compound";
  EXPECT_EQ(reply.hold_behind, 1u);
  Context c;
  c.domain = Domain::connection;
  c.op = "CONNECT";
  EXPECT_TRUE(engine->consult(c).reset);
  c.op = "RECORD";
  EXPECT_TRUE(engine->consult(c).black_hole);
}

TEST_F(EngineTest, ChangesFields) {
  res.resok.parts.items = arena.make_array<part9>(2);
  add("before GET do set mode=READ");
  add("after GET do set parts[1].mode=RW then resize parts=3 then stale seqid then stale verifier");
  EXPECT_TRUE(ask().changed);
  EXPECT_EQ(args.mode, MODE9_READ);
  EXPECT_TRUE(ask(Stage::after).changed);
  EXPECT_EQ(res.resok.parts.size(), 3u);
  EXPECT_EQ(res.resok.parts[1].mode, MODE9_RW);
  EXPECT_EQ(res.resok.seqid, 6u);
  EXPECT_EQ(res.resok.verifier.bytes[0], std::byte{0xff});
  // The arm is not chosen: the rule has not fired.
  res.status = STAT9_IO;
  EXPECT_FALSE(ask(Stage::after));
  EXPECT_EQ(engine->list()[1].hits, 1u);
  EXPECT_EQ(engine->list()[1].matched, 2u);
}

TEST_F(EngineTest, ChangesBytes) {
  add("reply GET nth=1 do corrupt 10 2");
  add("reply GET nth=2 do truncate 60");
  add("reply GET nth=3 do pad 8");
  add("reply GET nth=4 do corrupt");
  const auto before = bytes;
  EXPECT_TRUE(ask(Stage::reply).changed);
  EXPECT_NE(bytes[10], before[10]);
  EXPECT_NE(bytes[11], before[11]);
  EXPECT_EQ(bytes[12], before[12]);
  (void)ask(Stage::reply);
  EXPECT_EQ(bytes.size(), 4u);
  (void)ask(Stage::reply);
  EXPECT_EQ(bytes.size(), 12u);
  const auto padded = bytes;
  (void)ask(Stage::reply);
  EXPECT_NE(bytes, padded);
}

TEST_F(EngineTest, NodeActionsNeedAnActor) {
  add("after GET do recall layouts /dir/file then recall delegations then restart then hang 2s then kill then recall "
      "slots 4");
  EXPECT_TRUE(ask(Stage::after));
  ASSERT_EQ(actor.done.size(), 6u);
  EXPECT_EQ(actor.done[0].path, "/dir/file");
  EXPECT_EQ(actor.done[3].duration, std::chrono::seconds(2));
  EXPECT_EQ(actor.done[4].verb, NodeAction::Verb::kill);
  EXPECT_EQ(actor.done[5].slots, 4u);
  Engine alone(vocabulary, clock, {.node = "ds1"});
  ASSERT_TRUE(alone.add("after GET do kill"));
  Context c = context(Stage::after);
  EXPECT_FALSE(alone.consult(c));
  EXPECT_EQ(alone.list()[0].hits, 0u);
}

TEST_F(EngineTest, ANodeThatDiesHasCountedFirst) {
  bool counted = false;
  engine->on_hit = [&](const RuleState& rule, const Context&) {
    EXPECT_EQ(rule.hits, 1u);
    EXPECT_TRUE(actor.done.empty());
    counted = true;
  };
  add("after GET do kill");
  EXPECT_TRUE(ask(Stage::after));
  EXPECT_TRUE(counted);
  EXPECT_EQ(actor.done.size(), 1u);
}

TEST_F(EngineTest, RulesOutliveTheProcess) {
  add("before GET once do restart");
  add("on mds before GET do close");
  add("before GET from=10s do return IO");
  engine->remove(2);
  EXPECT_TRUE(ask());
  clock.advance(std::chrono::seconds(6));
  const std::string saved = engine->save();
  fresh();
  ASSERT_TRUE(engine->restore(saved));
  ASSERT_EQ(engine->list().size(), 2u);
  EXPECT_EQ(engine->list()[0].hits, 1u);
  EXPECT_EQ(engine->list()[1].id, 3u);
  EXPECT_FALSE(ask()) << "once was before";
  clock.advance(std::chrono::seconds(4));
  EXPECT_EQ(ask().status, STAT9_IO) << "ages count on";
  EXPECT_EQ(*engine->add("before GET do close"), 4u);
  EXPECT_FALSE(engine->restore("1 2 nonsense\n"));
}

TEST_F(EngineTest, ScsiAndBlock) {
  add("before scsi.WRITE(10) do return WRITE_ERROR");
  add("before block.WRITE offset>=1048576 do return io");
  Context c;
  c.domain = Domain::scsi;
  c.op = "WRITE(10)";
  EXPECT_EQ(engine->consult(c).status, 0x000C0302u);
  add("before scsi.WRITE(10) do lie then short 5 then torn 6 then lose-cache then logout");
  const Verdict scsi = engine->consult(c);
  EXPECT_TRUE(scsi.lie && scsi.lose_cache && scsi.logout && scsi.short_bytes == 5u && scsi.torn_bytes == 6u);
  c.domain = Domain::block;
  c.op = "WRITE";
  c.offset = 1 << 20;
  EXPECT_EQ(engine->consult(c).status, static_cast<uint32_t>(Errc::io));
  c.offset = 0;
  EXPECT_FALSE(engine->consult(c));
}

// Every action's own example that needs no protocol types is parsed with the real vocabulary in unit/compound.
TEST_F(EngineTest, ParseErrorsNameColumnAndExpectation) {
  auto why = [&](std::string_view rule) {
    const auto added = engine->add(rule);
    return added ? std::string("parsed") : added.error().reason;
  };
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "column 1: \"on\", \"before\", \"after\" or \"reply\" was expected"},
      {"GET do close", "column 1: \"on\", \"before\""},
      {"on", "column 3: a node like mds"},
      {"on mds GET", "column 8: \"before\", \"after\" or \"reply\" was expected"},
      {"before", "column 7: an operation like LAYOUTGET was expected"},
      {"before GTE do close", "column 8: \"GTE\" is no operation; did you mean GET?"},
      {"before PUT,GTE do close", "column 12: \"GTE\""},
      {"before GET,CB_GET do close", "column 12: GET and CB_GET are of different kinds"},
      {"after connection.CONNECT do close", "column 7: connection.CONNECT has no \"after\""},
      {"before GET", "column 11: \"do\" and an action were expected"},
      {"before GET close", "column 12: a condition like iomode=RW or \"do\" was expected, not \"close\""},
      {"before GET colour=red do close", "column 12: \"colour\" is no condition and no field: GET9args has no field"},
      {"before GET mode=BLUE do close", "column 17: \"BLUE\" is no name of mode9: MODE9_READ, MODE9_RW"},
      {"before GET count=x do close", "column 18: \"x\" is not a number"},
      {"before GET seqid=1 do close", "column 12: \"seqid\" is no condition"},
      {"before GET res.seqid=1 do close", "column 12: results are not known before; write \"after\""},
      {"before GET status=OK do close", "column 12: the status is not known before"},
      {"before GET nth=0 do close", "column 16: a number from 1 was expected"},
      {"before GET from=5 do close", "column 17: a time like 500ms"},
      {"before GET probability=2 do close", "column 24: a probability like 0.25 or 25% was expected"},
      {"before GET range=9-1 do close", "column 18: a range of bytes"},
      {"before GET client<5 do close", "column 19: client is compared with"},
      {"before GET do", "column 14: an action was expected: return, delay"},
      {"before GET do explode", "column 15: \"explode\" is no action; actions: return, delay"},
      {"before GET do return", "column 21: a status was expected after \"return\""},
      {"before GET do return EIO", "column 22: \"EIO\" is no status of GET"},
      {"before GET do return BUSY",
       "column 22: the RFC does not let GET return STAT9_BUSY (write \"return STAT9_BUSY force\""},
      {"before GET do delay 5", "column 21: a time like 500ms"},
      {"before GET do drop", "column 19: \"request\" or \"reply\" was expected"},
      {"after GET do drop request", "column 19: \"drop request\" is possible \"before\" only"},
      {"before GET do recall slots 0", "column 28: a number of slots from 1 to 65536"},
      {"before GET do duplicate", "column 15: \"duplicate\" is not possible before GET"},
      {"before GET do set seqid=1", "column 19: seqid is in the result; write \"after GET\""},
      {"after GET do set nothing=1", "column 18: GET9res has no field \"nothing\""},
      {"after GET do set seqid=x", "column 24: \"x\" is not a number"},
      {"after GET do set verifier=abc", "column 27: this field has 4 bytes"},
      {"after GET do resize seqid=1", "column 21: this field has no count"},
      {"after GET do resize parts=70000", "column 27: a count was expected"},
      {"before PUT do set x=1", "column 19: PUT has no arguments to change"},
      {"reply GET do set seqid=1", "column 14: \"set\" is not possible reply GET"},
      {"before GET do close then", "column 25: an action was expected"},
      {"before GET do close open", "column 21: \"then\" or the end was expected, not \"open\""},
      {"before GET client=\"x do close", "column 19: this quote has no end"},
      {"before GET do refuse",
       "column 15: \"refuse\" is not possible before GET: it needs \"before connection.CONNECT\""},
  };
  for (const auto& [rule, expected] : cases) {
    const std::string reason = why(rule);
    EXPECT_TRUE(reason.starts_with(expected)) << rule << "\n  says " << reason << "\n  not  " << expected;
  }
  EXPECT_FALSE(engine->add(std::string(5000, 'x')));
}

TEST_F(EngineTest, GarbageNeverParsesNorCrashes) {
  SeededRandom random(9);
  const std::string pieces[] = {"on ",           "before ",   "GET ", "do ", "return ", "IO ",   "then ", "set ",
                                "mode=RW ",      "nth=",      "1 ",   "\"",  ",",       "=",     "\\",    "[",
                                "parts[0].mode", "delay 1s ", "~",    "*",   "\x01",    "after "};
  for (int i = 0; i < 20000; ++i) {
    std::string rule;
    for (uint64_t n = random.below(12); n > 0; --n) rule += pieces[random.below(std::size(pieces))];
    if (engine->add(rule)) (void)ask(static_cast<Stage>(random.below(3)));
    if (i % 50 == 0) engine->clear();
  }
}

TEST_F(EngineTest, ListsPoints) {
  const auto lines = vocabulary.describe(true);
  EXPECT_NE(std::ranges::find(lines, "GET                          before,after,reply   RFC 8881 1.2"), lines.end());
  EXPECT_NE(std::ranges::find(lines, "    res.resok.parts[].mode"), lines.end());
  EXPECT_NE(std::ranges::find(lines, "block.FLUSH                  before,after"), lines.end());
}

}  // namespace
}  // namespace pnfs::fault
