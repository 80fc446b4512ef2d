// Client and Server against each other.
#include "tests/unit/rpc/fixture.hpp"

namespace pnfs::rpc {
namespace {

std::vector<std::byte> pattern(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 257);
  return bytes;
}

TEST_F(ConnectionTest, EchoesSmallAndLarge) {
  const auto connection = connect();
  EXPECT_EQ(connection->remote(), at("10.0.0.2:2049"));
  for (const size_t size : {0u, 1u, 5u, 1023u, 1024u, 8192u, 100'000u, 1u << 20}) {
    const auto data = pattern(size);
    auto c = make(kEcho);
    c->args().variable(data);
    auto reply = call(*connection, std::move(c));
    ASSERT_TRUE(reply) << reply.error().reason;
    std::span<const std::byte> got;
    ASSERT_TRUE((*reply)->results().variable(xdr::kNoLimit, got));
    EXPECT_TRUE(std::equal(got.begin(), got.end(), data.begin(), data.end())) << size;
  }
}

TEST_F(ConnectionTest, TheCredentialReachesTheService) {
  auto reply = call(*connect(), make(kWho));
  uint32_t uid = 0;
  ASSERT_TRUE(reply && (*reply)->results().u32(uid));
  EXPECT_EQ(uid, 1000u);
}

TEST_F(ConnectionTest, ManyCallsRunAtOnceAndAnswerOutOfOrder) {
  const auto connection = connect();
  io::TaskGroup group(sim.executor());
  std::vector<uint32_t> order;
  auto one = [](std::shared_ptr<Connection> on, uint32_t ms, std::vector<uint32_t>& into) -> Task<void> {
    auto c = make(kSleep);
    c->args().u32(ms);
    auto reply = co_await on->call(std::move(c), 10s);
    uint32_t got = 0;
    if (reply && (*reply)->results().u32(got)) into.push_back(got);
  };
  for (const uint32_t ms : {500u, 300u, 100u}) group.spawn("one", one(connection, ms, order));
  const TimePoint begin = sim.now();
  sim.run(group.join());
  EXPECT_EQ(order, (std::vector<uint32_t>{100, 300, 500}));
  EXPECT_LT(sim.now() - begin, 510ms);
  EXPECT_EQ(service.most, 3);
}

TEST_F(ConnectionTest, ReadingPausesAtTheLimitAndNothingIsLost) {
  const auto connection = connect();
  io::TaskGroup group(sim.executor());
  int answered = 0;
  auto one = [](std::shared_ptr<Connection> on, int& count) -> Task<void> {
    auto c = make(kSleep);
    c->args().u32(100);
    auto reply = co_await on->call(std::move(c), 60s);
    if (reply) ++count;
  };
  for (int i = 0; i < 50; ++i) group.spawn("one", one(connection, answered));
  sim.run(group.join());
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(service.most, 8);
}

TEST_F(ConnectionTest, ErrorsOfEveryKindComeBackAsErrors) {
  const auto connection = connect();
  EXPECT_EQ(call(*connection, make(kEcho, 2, 99)).error().code, Errc::unsupported);
  const auto mismatch = call(*connection, make(kEcho, 7));
  EXPECT_EQ(mismatch.error().reason, "PROG_MISMATCH: the peer offers versions 2 to 3");
  EXPECT_EQ(call(*connection, make(static_cast<Procedure>(77))).error().code, Errc::unsupported);
  EXPECT_EQ(call(*connection, make(kEcho)).error().code, Errc::protocol);  // no arguments
  EXPECT_EQ(call(*connection, make(kNothing)).error().code, Errc::io);
  EXPECT_FALSE(connection->closed());
}

TEST_F(ConnectionTest, ABadCredentialIsAnAuthErrorButNullIsAnswered) {
  const auto connection = connect();
  Credential strange;
  strange.flavor = static_cast<AuthFlavor>(5);
  EXPECT_EQ(call(*connection, std::make_unique<Call>(kProgram, 2, kWho, strange)).error().code, Errc::permission);
  EXPECT_TRUE(call(*connection, std::make_unique<Call>(kProgram, 2, 0, strange)));
}

TEST_F(ConnectionTest, ADroppedReplyTimesOutAndTheConnectionLivesOn) {
  const auto connection = connect();
  const TimePoint begin = sim.now();
  EXPECT_EQ(call(*connection, make(kSilent), 3s).error().code, Errc::timeout);
  EXPECT_EQ(sim.now() - begin, 3s);
  EXPECT_TRUE(call(*connection, make(kWho)));
  EXPECT_EQ(server.connections().at(0)->in_flight(), 0u);
}

TEST_F(ConnectionTest, ALateReplyIsIgnored) {
  const auto connection = connect();
  auto c = make(kSleep);
  c->args().u32(2000);
  EXPECT_EQ(call(*connection, std::move(c), 1s).error().code, Errc::timeout);
  sim.run_for(5s);
  EXPECT_EQ(service.slept, 1);
  EXPECT_FALSE(connection->closed());
}

TEST_F(ConnectionTest, TheServerCallsBackOnTheSameConnection) {
  auto reply = call(*connect(), make(kCallBack));
  uint32_t worked = 0;
  ASSERT_TRUE(reply && (*reply)->results().u32(worked));
  EXPECT_EQ(worked, 1u);
}

TEST_F(ConnectionTest, HeldDataLivesUntilTheReplyIsSentAndNoLonger) {
  auto reply = call(*connect(), make(kBig));
  std::span<const std::byte> got;
  ASSERT_TRUE(reply && (*reply)->results().variable(xdr::kNoLimit, got));
  EXPECT_EQ(got.size(), 1u << 20);
  EXPECT_EQ(got.back(), std::byte{0x5a});
  EXPECT_TRUE(service.held.expired());
}

TEST_F(ConnectionTest, AHandlerOutlivesItsConnection) {
  const auto connection = connect();
  io::TaskGroup group(sim.executor());
  std::optional<Errc> outcome;
  auto one = [](std::shared_ptr<Connection> on, std::optional<Errc>& code) -> Task<void> {
    auto c = make(kSleep);
    c->args().u32(1000);
    auto reply = co_await on->call(std::move(c), 60s);
    if (!reply) code = reply.error().code;
  };
  group.spawn("one", one(connection, outcome));
  sim.run_for(100ms);
  int notices = 0;
  const auto accepted = server.connections().at(0);
  accepted->on_close([&notices](Connection&) { ++notices; });
  const auto forgotten = accepted->on_close([&notices](Connection&) { notices += 100; });
  accepted->forget_close(forgotten);
  connection->close("test");
  sim.run_for(10ms);
  EXPECT_EQ(outcome, Errc::closed);
  EXPECT_EQ(notices, 1);
  EXPECT_TRUE(server.connections().empty());
  sim.run_for(2s);
  EXPECT_EQ(service.slept, 1);
  sim.run(group.join());
}

TEST_F(ConnectionTest, StopCancelsHandlers) {
  const auto connection = connect();
  io::TaskGroup group(sim.executor());
  auto one = [](std::shared_ptr<Connection> on) -> Task<void> {
    auto c = make(kSleep);
    c->args().u32(1'000'000);
    EXPECT_FALSE(co_await on->call(std::move(c), 24h));
  };
  group.spawn("one", one(connection));
  sim.run_for(1s);
  const TimePoint begin = sim.now();
  sim.run(server.stop());
  EXPECT_LT(sim.now() - begin, 1s);
  EXPECT_EQ(service.running, 0);
  sim.run(group.join());
}

TEST_F(ConnectionTest, ConnectTimesOut) {
  net.partition("client", "server");
  const TimePoint begin = sim.now();
  EXPECT_EQ(sim.run(client.connect(at("10.0.0.2:2049"), 2s)).error().code, Errc::timeout);
  EXPECT_EQ(sim.now() - begin, 2s);
}

}  // namespace
}  // namespace pnfs::rpc
