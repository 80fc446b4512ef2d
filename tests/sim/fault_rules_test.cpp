// Fault rules in the simulated cluster: each server its own, what concerns a server as a whole, and the same decisions
// from the same seed.
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;

struct FaultRules : ClusterTest {
  void start_with(std::vector<std::string> rules, uint64_t seed = 1) {
    Options options;
    options.seed = seed;
    options.rules = std::move(rules);
    options.mds.lease = std::chrono::seconds(10);
    start(std::move(options), {.renew_every = std::chrono::seconds(3)});
  }
  void write_striped(const client::FilePtr& file, size_t bytes) {
    ASSERT_DONE(run(fs->write_striped(file, 0, pattern(bytes))));
    ASSERT_DONE(run(fs->commit_striped(file)));
    ASSERT_DONE(run(fs->layoutcommit(file)));
  }
};

TEST_F(FaultRules, ActAtTheServersTheyName) {
  start_with({"on ds2 before WRITE times=2 do return DELAY", "on mds before block.FLUSH once do delay 1s"});
  const auto file = create("file");
  write_striped(file, 1 << 20);
  EXPECT_EQ(cluster().faults("ds2").list()[0].hits, 2u);
  EXPECT_FALSE(cluster().faults("ds1").list()[0].here);
  EXPECT_EQ(cluster().trace().count("ds1", "WRITE", "NFS4ERR_DELAY"), 0u);
  EXPECT_EQ(cluster().trace().count("ds2", "WRITE", "NFS4ERR_DELAY"), 2u);
}

TEST_F(FaultRules, ComeAndGoWhileTheClusterRuns) {
  start_with({});
  ASSERT_TRUE(cluster().faults("mds").add("before CREATE do return NOSPC"));
  EXPECT_TRUE(run(fs->mkdir("dir")).error().is(NFS4ERR_NOSPC));
  cluster().faults("mds").clear();
  ASSERT_DONE(run(fs->mkdir("dir")));
  const auto wrong = cluster().faults("mds").add("before CREATE do return NOWAY");
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().reason.starts_with("column 25: ")) << wrong.error().reason;
}

TEST_F(FaultRules, AServerRestartsOrHangsInTheMiddleOfARequest) {
  start_with({"on ds1 before WRITE once do drop request then restart", "on ds2 before COMMIT once do hang 5s",
              "on mds before LAYOUTCOMMIT once do restart"});
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  // A data server that came back has another verifier: the client is told, and writes again.
  for (int tries = 0; tries < 5; ++tries) {
    ASSERT_DONE(run(fs->write_striped(file, 0, data)));
    if (run(fs->commit_striped(file))) break;
  }
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_EQ(cluster().faults("ds1").list()[0].hits, 1u);
  EXPECT_EQ(cluster().faults("ds2").list()[1].hits, 1u);
  EXPECT_EQ(cluster().faults("mds").list()[2].hits, 1u);
  EXPECT_TRUE(read(file, 2 << 20) == data);
}

TEST_F(FaultRules, RecallOfALayout) {
  start_with({"on mds after LOOKUP objname=now once do recall layouts /file"});
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  (void)run(fs->lookup("now"));
  cluster().run_for(std::chrono::seconds(5));
  EXPECT_FALSE(file->layout);
  EXPECT_EQ(cluster().trace().count("mds", "LAYOUTRETURN", "NFS4_OK"), 1u);
}

TEST_F(FaultRules, RecallOfSlots) {
  start_with({"on mds after LOOKUP objname=less once do recall slots 4",
              "on mds after LOOKUP objname=more once do recall slots 99"});
  const auto file = create("file");
  const session::Session* session = cluster().mds().sessions().session(fs->session().sessionid());
  ASSERT_NE(session, nullptr);
  const uint32_t granted = session->slots().size();
  ASSERT_GT(granted, 4u);
  const auto ask = [&](const char* name) {
    (void)run(fs->lookup(name));
    cluster().run_for(std::chrono::seconds(1));
    ASSERT_DONE(run(fs->write(file, 0, pattern(16))));
    ASSERT_DONE(run(fs->write(file, 0, pattern(16))));
  };
  ask("less");
  EXPECT_EQ(cluster().trace().count("mds", "CB_RECALL_SLOT", "NFS4_OK"), 1u);
  EXPECT_EQ(session->slots().highest_slot(), 3u);
  ask("more");
  EXPECT_EQ(cluster().trace().count("mds", "CB_RECALL_SLOT", "NFS4_OK"), 2u);
  EXPECT_EQ(session->slots().highest_slot(), granted - 1) << "no more than CREATE_SESSION granted";
}

TEST_F(FaultRules, TheSameSeedTheSameDecisions) {
  const auto decisions = [&](uint64_t seed) {
    start_with(
        {"on ds* before WRITE probability=30% do return DELAY", "on mds after GETATTR probability=50% do delay 3ms"},
        seed);
    write_striped(create("file"), 2 << 20);
    std::string all = made->trace().json_lines();
    made.reset();
    return all;
  };
  const std::string first = decisions(5);
  EXPECT_NE(first.find("rule 1"), std::string::npos);
  EXPECT_EQ(first, decisions(5)) << "not one byte of the trace differs";
  EXPECT_NE(first, decisions(6));
}

}  // namespace
}  // namespace pnfs::cluster
