// Nodes that die and come back, partitions, and the same run twice.
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;
using client::OpenHow;
using Death = io::MemoryNetwork::Death;

struct Failures : ClusterTest {
  static Options quick() {
    Options options;
    options.mds.lease = 10s;
    return options;
  }
  // All servers anew, and a client that has seen nothing of before.
  void come_back() {
    for (const char* node : {"mds", "ds1", "ds2"}) {
      const auto started = cluster().restart(node);
      ASSERT_TRUE(started) << node << ": " << started.error().reason;
    }
    fs = &cluster().add_client("client2");
    ASSERT_DONE(run(fs->mount(cluster().mds_address())));
  }
};

TEST_F(Failures, AVolumeComesBackWithItsFiles) {
  start(quick());
  const auto data = pattern(1 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->close(file)));
  ASSERT_DONE(run(fs->unmount()));
  for (const char* node : {"ds1", "ds2", "mds"}) {
    const auto stopped = cluster().stop(node);
    ASSERT_TRUE(stopped) << stopped.error().reason;
  }
  come_back();
  const auto again = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(again);
  EXPECT_TRUE(read(*again, 2 << 20) == data);
}

TEST_F(Failures, OpensAreReclaimedAfterTheMdsWasKilled) {
  start(quick());
  const auto data = pattern(300'000);
  const auto file = create("file");
  write(file, data);
  cluster().kill("mds");
  const auto restarted = cluster().restart("mds");
  ASSERT_TRUE(restarted) << restarted.error().reason;
  EXPECT_TRUE(read(file, 400'000) == data);
  EXPECT_EQ(fs->recoveries(), 1u);
  const auto more = pattern(1000, 5);
  write(file, more, data.size());
  EXPECT_TRUE(read(file, 1000, data.size()) == more);
  ASSERT_DONE(run(fs->close(file)));
}

TEST_F(Failures, CommittedDataSurvivesTheDeathOfEverything) {
  start(quick());
  const auto data = pattern(2 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  // More that is never committed.
  ASSERT_DONE(run(fs->write_striped(file, 2 << 20, pattern(1 << 20, 3))));
  cluster().lun().crash(cluster().sim().random());
  for (const char* node : {"client1", "ds1", "ds2", "mds"}) cluster().kill(node);
  cluster().lun().restart();
  come_back();
  const auto again = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(again);
  const auto got = read(*again, 2 << 20);
  EXPECT_TRUE(got == data);
}

// Linux 6.1 takes the new instance's BADLAYOUT for success (RFC 8881 12.7.4 wants a reclaim or the data once more).
TEST_F(Failures, CommittedDataIsFoundWithoutLayoutcommit) {
  start(quick());
  const auto data = pattern(2 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  for (const char* node : {"client1", "ds1", "ds2", "mds"}) cluster().kill(node);
  come_back();
  const auto again = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(again);
  EXPECT_TRUE(read(*again, 4 << 20) == data);
}

TEST_F(Failures, CommitFailsWhileNobodyCanBeToldTheSize) {
  start(quick());
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  cluster().kill("mds");
  const auto committed = run(fs->commit_striped(file));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().op, OP_COMMIT);
  EXPECT_TRUE(committed.error().is(NFS4ERR_IO));
  EXPECT_EQ(committed.error().transport.reason, "") << "an answer of the server, not another verifier";
}

// With the grants of the old instance the data server has lost how far was written.
TEST_F(Failures, ANewMdsMakesUncommittedDataBeWrittenAgain) {
  start(quick());
  const auto data = pattern(1 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  cluster().kill("mds");
  ASSERT_TRUE(cluster().restart("mds"));
  cluster().sim().run_for(1s);
  const auto committed = run(fs->commit_striped(file));
  ASSERT_FALSE(committed);
  EXPECT_NE(committed.error().transport.reason.find("verifier changed"), std::string::npos) << to_string(committed.error());
}

TEST_F(Failures, AKilledDataServerComesBackAndServes) {
  start(quick());
  const auto data = pattern(1 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  cluster().kill("ds1");
  const auto started = cluster().restart("ds1");
  ASSERT_TRUE(started) << started.error().reason;
  const auto got = run(fs->read_striped(file, 0, 1 << 20));
  ASSERT_DONE(got);
  EXPECT_TRUE(got->bytes == data);
}

TEST_F(Failures, ADataServerThatDiedBeforeCommitMakesTheVerifierChange) {
  start(quick());
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  cluster().kill("ds1");
  ASSERT_TRUE(cluster().restart("ds1"));
  const auto lost = run(fs->commit_striped(file));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().op, OP_COMMIT);
  // Written again it can be committed.
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 1 << 20) == data);
}

TEST_F(Failures, AShortPartitionOnlyTakesTime) {
  start(quick());
  const auto data = pattern(1 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20, 8))));
  cluster().partition("client1", "ds2");
  cluster().sim().timers().schedule_after(3s, [this] { cluster().heal("client1", "ds2"); });
  const TimePoint begin = cluster().sim().now();
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_GE(cluster().sim().now() - begin, 3s);
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 1 << 20) == data);
}

// Everything a run does, as its trace.
std::string whole_run(uint64_t seed) {
  Options options;
  options.seed = seed;
  options.link.jitter = 50us;
  options.mds.lease = 10s;
  Cluster cluster(std::move(options));
  EXPECT_TRUE(cluster.start());
  auto& fs = cluster.add_client("client1");
  EXPECT_TRUE(cluster.run(fs.mount(cluster.mds_address())));
  const auto data = pattern(1 << 20);
  const auto file = cluster.run(fs.open("file", OpenHow::create_new()));
  EXPECT_TRUE(file);
  EXPECT_TRUE(cluster.run(fs.write_striped(*file, 0, data)));
  EXPECT_TRUE(cluster.run(fs.commit_striped(*file)));
  cluster.kill("ds1");
  EXPECT_TRUE(cluster.restart("ds1"));
  EXPECT_TRUE(cluster.run(fs.read_striped(*file, 0, 1 << 20)));
  EXPECT_TRUE(cluster.run(fs.close(*file)));
  EXPECT_TRUE(cluster.run(fs.unmount()));
  return cluster.trace().json_lines();
}

TEST(Determinism, TheSameSeedGivesTheSameTraceBitForBit) {
  const std::string first = whole_run(42);
  EXPECT_GT(std::count(first.begin(), first.end(), '\n'), 30);
  EXPECT_EQ(first, whole_run(42));
  EXPECT_NE(first, whole_run(43));
}

}  // namespace
}  // namespace pnfs::cluster
