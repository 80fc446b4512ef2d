// A server against peers that write whatever they like.
#include "tests/unit/rpc/fixture.hpp"

namespace pnfs::rpc {
namespace {

TEST_F(ConnectionTest, ARecordMayComeInFragmentsAndBytes) {
  const auto stream = raw();
  const auto body = null_call(42);
  // Three fragments, one of them empty, each byte alone on the wire.
  std::vector<std::byte> wire = words({12});
  wire.insert(wire.end(), body.begin(), body.begin() + 12);
  const auto empty = words({0});
  wire.insert(wire.end(), empty.begin(), empty.end());
  const auto last = words({0x80000000u | static_cast<uint32_t>(body.size() - 12)});
  wire.insert(wire.end(), last.begin(), last.end());
  wire.insert(wire.end(), body.begin() + 12, body.end());
  for (const std::byte& b : wire) {
    send(*stream, std::span(&b, 1));
    sim.run_for(1ms);
  }
  EXPECT_EQ(receive(*stream, 28), words({0x80000018u, 42, 1, 0, 0, 0, 0}));
}

TEST_F(ConnectionTest, ManyRecordsInOnePacketAreAnsweredEach) {
  const auto stream = raw();
  std::vector<std::byte> wire;
  for (uint32_t xid = 0; xid < 300; ++xid) {
    const auto body = null_call(xid);
    const auto mark = words({0x80000000u | static_cast<uint32_t>(body.size())});
    wire.insert(wire.end(), mark.begin(), mark.end());
    wire.insert(wire.end(), body.begin(), body.end());
  }
  send(*stream, wire);
  EXPECT_EQ(receive(*stream, 300 * 28).size(), 300u * 28);
}

struct BadPeer : ConnectionTest {
  // The peer's connection is closed with this reason, and another one still works.
  void expect_closed(io::Stream& stream, std::string_view reason) {
    EXPECT_TRUE(receive(stream, 1000).empty());
    ASSERT_EQ(log.closed_reasons.size(), 1u);
    EXPECT_NE(log.closed_reasons[0].find(reason), std::string::npos) << log.closed_reasons[0];
    EXPECT_TRUE(call(*connect(), make(kWho)));
  }
};

TEST_F(BadPeer, GarbageClosesOnlyItsConnection) {
  const auto stream = raw();
  const std::string_view text = "GET / HTTP/1.1\r\nHost: nfs\r\n\r\n";
  send(*stream, std::as_bytes(std::span(text)));
  // "GET " as a record mark announces a fragment of 0x47455420 bytes.
  expect_closed(*stream, "over the limit");
}

TEST_F(BadPeer, ARecordThatIsNoMessageCloses) {
  const auto stream = raw();
  send(*stream, words({0x80000008u, 1, 9}));
  expect_closed(*stream, "no RPC message");
}

TEST_F(BadPeer, AnEmptyRecordCloses) {
  const auto stream = raw();
  send(*stream, words({0x80000000u}));
  expect_closed(*stream, "no RPC message");
}

TEST_F(BadPeer, AnOversizedRecordClosesWithoutWaitingForIt) {
  const auto stream = raw();
  send(*stream, words({0x80000000u | (64u << 20)}));
  expect_closed(*stream, "a record of 67108864 bytes or more is over the limit of 1114112 bytes");
}

TEST_F(BadPeer, FragmentsThatAddUpToTooMuchClose) {
  const auto stream = raw();
  std::vector<std::byte> wire = words({1u << 20});
  wire.resize(wire.size() + (1u << 20));
  const auto next = words({1u << 20});
  wire.insert(wire.end(), next.begin(), next.end());
  send(*stream, wire);
  expect_closed(*stream, "over the limit");
}

TEST_F(BadPeer, ARecordThatIsNeverFinishedIsTimedOut) {
  const auto stream = raw();
  send(*stream, words({0x80000000u | 1000, 1, 0}));
  const TimePoint begin = sim.now();
  expect_closed(*stream, "a record that was begun took longer than 30000 ms");
  EXPECT_GE(sim.now() - begin, 30s);
  EXPECT_LT(sim.now() - begin, 31s);
}

TEST_F(BadPeer, AMarkThatIsNeverFinishedIsTimedOut) {
  const auto stream = raw();
  const std::byte half[2] = {std::byte{0x80}, std::byte{0}};
  send(*stream, half);
  expect_closed(*stream, "took longer");
}

TEST_F(BadPeer, ATrickleDoesNotExtendTheTime) {
  const auto stream = raw();
  send(*stream, words({0x80000000u | 1000}));
  for (int i = 0; i < 40 && log.closed_reasons.empty(); ++i) {
    const std::byte one{0};
    send(*stream, std::span(&one, 1));
    sim.run_for(1s);
  }
  expect_closed(*stream, "took longer");
}

TEST_F(BadPeer, ATruncatedHeaderCloses) {
  const auto stream = raw();
  auto body = null_call(1);
  body.resize(24);
  auto wire = words({0x80000000u | 24});
  wire.insert(wire.end(), body.begin(), body.end());
  send(*stream, wire);
  expect_closed(*stream, "truncated");
}

TEST_F(BadPeer, APeerThatClosesInsideARecordIsNamed) {
  auto stream = raw();
  send(*stream, words({0x80000000u | 1000, 1, 0}));
  stream->close();
  sim.run_for(1s);
  ASSERT_EQ(log.closed_reasons.size(), 1u);
  EXPECT_EQ(log.closed_reasons[0], "the peer closed in the middle of a record");
}

TEST_F(BadPeer, APeerThatDoesNotReadIsTimedOut) {
  const auto stream = raw();
  auto body = null_call(1);
  body[23] = std::byte{kBig};
  auto wire = words({0x80000000u | static_cast<uint32_t>(body.size())});
  wire.insert(wire.end(), body.begin(), body.end());
  send(*stream, wire);
  sim.run_for(70s);
  ASSERT_EQ(log.closed_reasons.size(), 1u);
  EXPECT_NE(log.closed_reasons[0].find("does not read"), std::string::npos);
  EXPECT_TRUE(service.held.expired());
}

TEST_F(ConnectionTest, AnIdleConnectionStays) {
  const auto connection = connect();
  sim.run_for(1h);
  EXPECT_TRUE(call(*connection, make(kWho)));
}

TEST_F(ConnectionTest, AnotherRpcVersionIsAnsweredMismatch) {
  const auto stream = raw();
  auto wire = words({0x80000000u | 40, 42, 0, 3, kProgram, 2, 0, 0, 0, 0, 0});
  send(*stream, wire);
  EXPECT_EQ(receive(*stream, 28), words({0x80000018u, 42, 1, 1, 0, 2, 2}));
}

TEST_F(ConnectionTest, TooManyConnectionsAreNotTaken) {
  std::vector<std::shared_ptr<Connection>> open;
  for (int i = 0; i < 4; ++i) open.push_back(connect());
  const auto extra = connect();
  sim.run_for(1ms);
  EXPECT_TRUE(extra->closed());
  ASSERT_EQ(log.troubles.size(), 1u);
  EXPECT_TRUE(call(*open[0], make(kWho)));
  open[1]->close("test");
  sim.run_for(1ms);
  EXPECT_TRUE(call(*connect(), make(kWho)));
}

TEST_F(ConnectionTest, AListenerServedUntilClosedTakesItsConnectionsAlong) {
  auto listener = *far.listen(at("10.0.0.2:3000"));
  io::Listener& raw_listener = *listener;
  io::TaskGroup group(sim.executor());
  group.spawn("serve", server.serve_until_closed(std::move(listener)));
  const auto there = *sim.run(client.connect(at("10.0.0.2:3000"), 1s));
  const auto here = connect();
  EXPECT_TRUE(call(*there, make(kWho)));
  raw_listener.close();
  sim.run(group.join());
  sim.run_for(1ms);
  EXPECT_TRUE(there->closed());
  EXPECT_FALSE(here->closed());
}

}  // namespace
}  // namespace pnfs::rpc
