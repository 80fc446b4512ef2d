// Client and Server against each other, and a server against peers that write whatever they like.
#include "common/rpc/connection.hpp"

#include <gtest/gtest.h>

#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/rpc/client.hpp"
#include "common/rpc/server.hpp"

namespace pnfs::rpc {
namespace {

using namespace std::chrono_literals;
using io::Task;

constexpr uint32_t kProgram = 400100;
enum Procedure : uint32_t { kEcho = 1, kSleep = 2, kSilent = 3, kNothing = 4, kCallBack = 5, kBig = 6, kWho = 7 };

io::Endpoint at(const char* text) {
  return *io::parse_endpoint(text);
}

struct Log final : Observer {
  std::vector<std::string> closed_reasons;
  std::vector<std::string> troubles;
  size_t writes = 0;
  void closed(const Connection&, std::string_view reason) override { closed_reasons.emplace_back(reason); }
  void trouble(const io::Endpoint&, std::string_view reason) override { troubles.emplace_back(reason); }
};

struct TestService final : Service {
  explicit TestService(io::TimerQueue& timers) : timers(timers) {}
  uint32_t program() const override { return kProgram; }
  uint32_t lowest_version() const override { return 2; }
  uint32_t highest_version() const override { return 3; }

  Task<void> handle(Request& request) override {
    ++running;
    most = std::max(most, running);
    struct Leave {
      int& running;
      ~Leave() { --running; }
    } leave{running};
    switch (request.procedure()) {
      case kEcho: {
        std::span<const std::byte> bytes;
        if (request.args().variable(xdr::kNoLimit, bytes)) {
          request.begin_reply().variable(bytes);
        } else {
          request.reply_error(GARBAGE_ARGS);
        }
        break;
      }
      case kSleep: {
        uint32_t milliseconds = 0;
        request.args().u32(milliseconds);
        co_await timers.sleep(std::chrono::milliseconds(milliseconds));
        request.begin_reply().u32(milliseconds);
        ++slept;
        break;
      }
      case kSilent:
        request.drop();
        break;
      case kNothing:
        break;
      case kCallBack: {
        auto call = std::make_unique<Call>(kProgram, 2, kEcho, Credential{});
        call->args().variable(std::as_bytes(std::span("back", 4)));
        auto reply = co_await request.connection()->call(std::move(call), 5s);
        request.begin_reply().u32(reply ? 1 : 0);
        break;
      }
      case kBig: {
        auto data = std::make_shared<std::vector<std::byte>>(1 << 20, std::byte{0x5a});
        request.begin_reply().variable(*data);
        held = data;
        request.hold(std::move(data));
        break;
      }
      case kWho:
        request.begin_reply().u32(request.credential().uid);
        break;
      default:
        request.reply_error(PROC_UNAVAIL);
    }
  }

  io::TimerQueue& timers;
  int running = 0;
  int most = 0;
  int slept = 0;
  std::weak_ptr<std::vector<std::byte>> held;
};

struct ConnectionTest : ::testing::Test {
  io::Simulation sim{3};
  io::MemoryNetwork net{sim.timers(), sim.random()};
  io::Network& near = net.add_node("client", {at("10.0.0.1:0").address()});
  io::Network& far = net.add_node("server", {at("10.0.0.2:0").address()});
  TestService service{sim.timers()};
  TestService back_service{sim.timers()};
  Log log;
  Limits limits = [] {
    Limits l;
    l.max_in_flight = 8;
    l.max_connections = 4;
    return l;
  }();
  Server server{far, sim.timers(), limits, &log};
  Client client{near, sim.timers()};

  void SetUp() override {
    server.add_service(service);
    client.add_service(back_service);
    ASSERT_TRUE(server.listen(at("10.0.0.2:2049")));
  }
  void TearDown() override {
    sim.run(client.stop());
    sim.run(server.stop());
  }

  std::shared_ptr<Connection> connect() { return *sim.run(client.connect(at("10.0.0.2:2049"), 5s)); }

  static std::unique_ptr<Call> make(Procedure procedure, uint32_t version = 2, uint32_t program = kProgram) {
    return std::make_unique<Call>(program, version, procedure, Credential::sys(1000, 1000));
  }
  Result<std::unique_ptr<Reply>> call(Connection& connection, std::unique_ptr<Call> call, Duration timeout = 10s) {
    return sim.run(connection.call(std::move(call), timeout));
  }

  // ---- a peer that speaks in bytes ----
  std::unique_ptr<io::Stream> raw() { return std::move(*sim.run(near.connect(at("10.0.0.2:2049")))); }
  void send(io::Stream& stream, std::span<const std::byte> bytes) {
    auto write = [](io::Stream& s, io::ConstBytes piece) -> Task<void> { co_await s.write(std::span(&piece, 1)); };
    sim.run(write(stream, bytes));
  }
  // What the server answers, up to its end or `bytes`.
  std::vector<std::byte> receive(io::Stream& stream, size_t bytes) {
    std::vector<std::byte> got(bytes);
    auto read = [](io::Stream& s, std::vector<std::byte>& into) -> Task<void> {
      size_t have = 0;
      while (have < into.size()) {
        auto n = co_await s.read_some(std::span(into).subspan(have));
        if (!n) break;
        have += *n;
      }
      into.resize(have);
    };
    sim.run(read(stream, got));
    return got;
  }
  static std::vector<std::byte> words(std::initializer_list<uint32_t> list) {
    std::vector<std::byte> out;
    for (uint32_t word : list)
      for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(word >> shift));
    return out;
  }
  // xid, CALL, RPC 2, program, version, procedure, AUTH_NONE twice, no arguments
  static std::vector<std::byte> null_call(uint32_t xid) { return words({xid, 0, 2, kProgram, 2, 0, 0, 0, 0, 0}); }
};

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

// ---- records as they may come -------------------------------------------------------------------------------------

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
  auto listener = std::move(*far.listen(at("10.0.0.2:3000")));
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
