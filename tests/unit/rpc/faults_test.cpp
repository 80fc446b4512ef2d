// What faults do to connections and messages, and what the trace tells of them.
#include "tests/unit/rpc/fixture.hpp"

namespace pnfs::rpc {
namespace {

// Says the same at every RECORD (or CONNECT) that it is asked about.
struct Scripted final : fault::Injector {
  Scripted() { places_ = ~0u; }
  fault::Verdict consult(fault::Context& context) override {
    if (context.domain != fault::Domain::connection || context.op != op || left == 0) return {};
    --left;
    fault::Verdict copy = verdict;
    copy.rule = "rule 1";
    if (flip && context.bytes) {
      (*context.bytes)[flip] ^= std::byte{1};
      copy.changed = true;
    }
    return copy;
  }
  std::string op = "RECORD";
  int left = 0;
  size_t flip = 0;
  fault::Verdict verdict;
};

struct FaultyServer : ConnectionTest {
  Scripted faults;
  Server faulty{far, sim.timers(), limits, &log, &faults};
  std::shared_ptr<Connection> connection;

  void SetUp() override {
    ConnectionTest::SetUp();
    faulty.add_service(service);
    ASSERT_TRUE(faulty.listen(at("10.0.0.2:3000")));
    connection = *sim.run(client.connect(at("10.0.0.2:3000"), 5s));
    sim.run_for(1ms);
    faults.left = 1;
  }
  void TearDown() override {
    sim.run(faulty.stop());
    ConnectionTest::TearDown();
  }
};

TEST_F(FaultyServer, ARecordCanBeDroppedDelayedOrChanged) {
  faults.verdict.drop_request = true;
  EXPECT_EQ(call(*connection, make(kWho), 1s).error().code, Errc::timeout);
  faults.left = 1;
  faults.verdict = {.delay = 2s};
  const TimePoint begin = sim.now();
  EXPECT_TRUE(call(*connection, make(kWho)));
  EXPECT_GE(sim.now() - begin, 2s);
  faults.left = 1;
  faults.verdict = {};
  faults.flip = 15;  // the last byte of the program number
  EXPECT_EQ(call(*connection, make(kWho)).error().reason, "PROG_UNAVAIL: the peer does not offer the program");
}

TEST_F(FaultyServer, AConnectionCanBeClosedOrReset) {
  faults.verdict.close = true;
  EXPECT_EQ(call(*connection, make(kWho), 1s).error().code, Errc::closed);
  EXPECT_EQ(log.closed_reasons.back(), "fault: rule 1");
  connection = *sim.run(client.connect(at("10.0.0.2:3000"), 5s));
  faults.left = 1;
  faults.verdict = {.reset = true};
  EXPECT_EQ(call(*connection, make(kWho), 1s).error().code, Errc::closed);
}

TEST_F(FaultyServer, ABlackHoleSwallowsEverything) {
  faults.verdict.black_hole = true;
  EXPECT_EQ(call(*connection, make(kWho), 1s).error().code, Errc::timeout);
  EXPECT_EQ(call(*connection, make(kWho), 1s).error().code, Errc::timeout);
  EXPECT_FALSE(connection->closed());
}

TEST_F(FaultyServer, AFreshConnectionCanBeRefused) {
  faults.op = "CONNECT";
  faults.verdict.close = true;
  const auto fresh = *sim.run(client.connect(at("10.0.0.2:3000"), 5s));
  sim.run_for(1ms);
  EXPECT_TRUE(fresh->closed());
  EXPECT_TRUE(call(*connection, make(kWho)));
}

TEST_F(ConnectionTest, AReplyCanBeSentTwiceAndOvertaken) {
  const auto stream = raw();
  auto ask = [&](uint32_t xid, uint32_t behind) {
    service.behind = behind;
    service.duplicate = behind;
    auto body = null_call(xid);
    body[23] = std::byte{kWho};
    auto wire = words({0x80000000u | static_cast<uint32_t>(body.size())});
    wire.insert(wire.end(), body.begin(), body.end());
    send(*stream, wire);
    sim.run_for(1ms);
  };
  ask(1, 1);
  ask(2, 0);
  const auto got = receive(*stream, 3 * 32);
  ASSERT_EQ(got.size(), 3u * 32);
  EXPECT_EQ(got[7], std::byte{2});
  EXPECT_EQ(got[32 + 7], std::byte{1});
  EXPECT_EQ(got[64 + 7], std::byte{1});
  // Nobody comes to overtake: it leaves in the end.
  ask(3, 9);
  EXPECT_EQ(receive(*stream, 32)[7], std::byte{3});
  EXPECT_EQ(server.connections().at(0)->in_flight(), 0u);
}

TEST_F(ConnectionTest, TheTraceTellsOfConnections) {
  trace::MemorySink sink("mds", sim.clock());
  TraceObserver observer(sink);
  {
    Server traced(far, sim.timers(), limits, &observer);
    ASSERT_TRUE(traced.listen(at("10.0.0.2:3000")));
    const auto stream = *sim.run(near.connect(at("10.0.0.2:3000")));
    send(*stream, words({0x80000000u | (64u << 20)}));
    sim.run_for(1ms);
    sim.run(traced.stop());
  }
  ASSERT_EQ(sink.events().size(), 2u);
  EXPECT_EQ(sink.events()[0].op, "accept");
  EXPECT_EQ(sink.events()[1].op, "close");
  EXPECT_EQ(sink.events()[1].node, "mds");
  EXPECT_NE(sink.events()[1].reason.find("over the limit"), std::string::npos);
}

}  // namespace
}  // namespace pnfs::rpc
