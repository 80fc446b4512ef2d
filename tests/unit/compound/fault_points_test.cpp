#include "common/compound/fault_points.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "common/compound/typed_bodies.hpp"
#include "common/fault/action.hpp"
#include "common/fault/engine.hpp"
#include "common/nfs/layout.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/ops.hpp"
#include "common/nfs/valid_errors.hpp"
#include "common/trace/sink.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::compound {
namespace {

struct FaultPointsTest : ::testing::Test {
  fault::Vocabulary vocabulary;
  ManualClock clock;
  FaultPointsTest() {
    add_nfs_points(vocabulary);
    // What control program and target add.
    for (const char* name : {"GRANT", "FENCE"})
      vocabulary.add({.domain = fault::Domain::control, .name = name, .section = ""});
    static constexpr xdr::Enumerator kControlStatuses[] = {{"CTL_OK", 0}};
    vocabulary.set_statuses(fault::Domain::control, kControlStatuses, {"CTL_"});
    for (const char* name : {"WRITE(10)", "READ(10)", "SYNCHRONIZE_CACHE(10)"})
      vocabulary.add({.domain = fault::Domain::scsi, .name = name, .section = ""});
  }
};

TEST_F(FaultPointsTest, EveryValidPairCanBeInjectedByName) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  size_t pairs = 0;
  for (const auto& [domain, table] :
       {std::pair{fault::Domain::operation, nfs::operations()}, std::pair{fault::Domain::callback, nfs::callbacks()}}) {
    for (const nfs::OpInfo& op : table) {
      for (const nfs::nfsstat4 status : nfs::valid_errors(op.name)) {
        const std::string rule = fmt::format("before {} do return {}", op.name, nfs::status_name(status));
        const auto id = engine.add(rule);
        ASSERT_TRUE(id) << rule << ": " << id.error().reason;
        fault::Context context;
        context.domain = domain;
        context.op = op.name;
        EXPECT_EQ(engine.consult(context).status, static_cast<uint32_t>(status)) << rule;
        engine.remove(*id);
        ++pairs;
      }
    }
  }
  EXPECT_EQ(pairs, 1213u);
}

TEST_F(FaultPointsTest, OtherPairsOnlyByForce) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  for (const nfs::OpInfo& op : nfs::operations()) {
    const bool valid = nfs::is_valid_error(op.name, nfs::NFS4ERR_BADIOMODE);
    EXPECT_EQ(engine.add(fmt::format("before {} do return BADIOMODE", op.name)).has_value(), valid) << op.name;
    EXPECT_TRUE(engine.add(fmt::format("before {} do return BADIOMODE force", op.name))) << op.name;
  }
  const auto refused = engine.add("before GETATTR do return NFS4ERR_BADIOMODE");
  EXPECT_TRUE(refused.error().reason.starts_with(
      "column 26: the RFC does not let GETATTR return NFS4ERR_BADIOMODE (write \"return NFS4ERR_BADIOMODE force\""))
      << refused.error().reason;
}

// The page shows only what works, and shows every action.
TEST_F(FaultPointsTest, ExamplesOfThePageAndOfTheActionsParse) {
  const auto page = std::filesystem::path(__FILE__).parent_path() / "../../../common/fault/RULES.md";
  std::ifstream file(page);
  ASSERT_TRUE(file) << page;
  bool in_rules = false;
  std::set<std::string> actions;
  size_t examples = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      in_rules = line == "```rule";
      continue;
    }
    if (!in_rules) continue;
    ++examples;
    const auto rule = fault::parse_rule(line, vocabulary);
    EXPECT_TRUE(rule) << line << "\n" << rule.error().reason;
    for (const fault::ActionKind* kind : fault::action_kinds())
      if (line.find(fmt::format("do {}", kind->name)) != std::string::npos) actions.emplace(kind->name);
  }
  EXPECT_GT(examples, 20u);
  for (const fault::ActionKind* kind : fault::action_kinds()) {
    EXPECT_TRUE(actions.contains(std::string(kind->name))) << kind->name << " has no example in RULES.md";
    const auto rule = fault::parse_rule(kind->example, vocabulary);
    EXPECT_TRUE(rule) << kind->example << "\n" << rule.error().reason;
  }
}

TEST_F(FaultPointsTest, ALayoutIsChangedFieldByField) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  EXPECT_FALSE(engine.add("after LAYOUTGET do set logr_layout[0].lo_iomode=READ force")) << "set takes no force";
  ASSERT_TRUE(
      engine.add("after LAYOUTGET loga_iomode=RW do set logr_layout[0].lo_iomode=READ then stale logr_stateid"));
  Arena arena;
  nfs::LAYOUTGET4args args;
  args.loga_iomode = nfs::LAYOUTIOMODE4_RW;
  nfs::LAYOUTGET4res res;
  res.logr_resok4.logr_stateid.seqid = 2;
  res.logr_resok4.logr_layout.items = arena.make_array<nfs::layout4>(1);
  res.logr_resok4.logr_layout[0].lo_iomode = nfs::LAYOUTIOMODE4_RW;
  fault::Context context;
  context.stage = fault::Stage::after;
  context.op = "LAYOUTGET";
  context.args = xdr::FieldView::of(args);
  context.res = xdr::FieldView::of(res);
  context.arena = &arena;
  EXPECT_TRUE(engine.consult(context).changed);
  EXPECT_EQ(res.logr_resok4.logr_layout[0].lo_iomode, nfs::LAYOUTIOMODE4_READ);
  EXPECT_EQ(res.logr_resok4.logr_stateid.seqid, 1u);
  args.loga_iomode = nfs::LAYOUTIOMODE4_READ;
  EXPECT_FALSE(engine.consult(context));
}

TEST_F(FaultPointsTest, TheBodiesOfTheFilesLayoutAreOpen) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  ASSERT_TRUE(engine.add("after GETDEVICEINFO do set nflda_stripe_indices[0]=9 then resize nflda_multipath_ds_list=2"));
  Arena arena;
  nfs::nfsv4_1_file_layout_ds_addr4 device;
  device.nflda_stripe_indices.items = arena.make_array<uint32_t>(1);
  xdr::Encoder out(arena);
  xdr::encode(out, device);
  const std::vector<std::byte> body = out.flatten();
  nfs::GETDEVICEINFO4res res;
  res.gdir_resok4.gdir_device_addr.da_addr_body.bytes = body;
  TypedResult typed;
  fault::Context context;
  context.op = "GETDEVICEINFO";
  context.stage = fault::Stage::after;
  context.res = typed.open(*nfs::find_op("GETDEVICEINFO"), &res, arena);
  context.arena = &arena;
  typed.write_back();
  EXPECT_EQ(res.gdir_resok4.gdir_device_addr.da_addr_body.bytes.data(), body.data()) << "nothing was changed";
  EXPECT_TRUE(engine.consult(context).changed);
  typed.write_back();
  xdr::Decoder in(res.gdir_resok4.gdir_device_addr.da_addr_body.bytes, arena);
  nfs::nfsv4_1_file_layout_ds_addr4 seen;
  ASSERT_TRUE(xdr::decode(in, seen));
  EXPECT_EQ(seen.nflda_stripe_indices[0], 9u);
  EXPECT_EQ(seen.nflda_multipath_ds_list.size(), 2u);
  engine.clear();
  ASSERT_TRUE(engine.add("after GETDEVICEINFO do set da_addr_body=hex:00ff"));
  EXPECT_TRUE(engine.consult(context).changed);
  typed.write_back();
  EXPECT_EQ(res.gdir_resok4.gdir_device_addr.da_addr_body.size(), 2u) << "bytes written by a rule win";
}

TEST_F(FaultPointsTest, TheTraceNamesTheRule) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  trace::MemorySink sink("mds", clock);
  trace_faults(engine, sink);
  ASSERT_TRUE(engine.add("before OPEN once do return DELAY"));
  fault::Context context;
  context.op = "OPEN";
  context.path = "/dir/file";
  EXPECT_TRUE(engine.consult(context));
  EXPECT_FALSE(engine.consult(context));
  ASSERT_EQ(sink.events().size(), 1u);
  EXPECT_EQ(sink.events()[0].kind, trace::Kind::fault);
  EXPECT_EQ(sink.events()[0].op, "OPEN");
  EXPECT_EQ(sink.events()[0].path, "/dir/file");
  EXPECT_EQ(sink.events()[0].fault, "rule 1: before OPEN once do return DELAY");
}

}  // namespace
}  // namespace pnfs::compound
