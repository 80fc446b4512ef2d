#include "common/io/memory_network.hpp"

#include <gtest/gtest.h>

#include "common/io/simulation.hpp"
#include "common/io/task_group.hpp"

namespace pnfs::io {
namespace {

using namespace std::chrono_literals;

Endpoint at(const char* text) {
  return *parse_endpoint(text);
}

std::vector<std::byte> pattern(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

struct MemoryNetworkTest : ::testing::Test {
  Simulation sim{7};
  MemoryNetwork net{sim.timers(), sim.random()};
  Network& a = net.add_node("a", {at("10.0.0.1:0").address()});
  Network& b = net.add_node("b", {at("10.0.0.2:0").address()});
  std::unique_ptr<Listener> listener = *b.listen(at("0.0.0.0:2049"));

  struct Pair {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
  };
  Pair join() {
    auto both = [](Network& from, Listener& to) -> Task<Pair> {
      auto client = co_await from.connect(at("10.0.0.2:2049"));
      auto server = co_await to.accept();
      Pair pair{std::move(*client), std::move(*server)};
      co_return pair;
    };
    return sim.run(both(a, *listener));
  }

  static Task<Result<void>> write_all(Stream& stream, std::span<const std::byte> bytes) {
    const ConstBytes piece = bytes;
    co_return co_await stream.write(std::span(&piece, 1));
  }
  Result<void> write(Stream& stream, std::span<const std::byte> bytes) { return sim.run(write_all(stream, bytes)); }
  Result<void> read(Stream& stream, std::span<std::byte> into) { return sim.run(read_exactly(stream, into)); }
};

TEST_F(MemoryNetworkTest, BytesArriveInOrderAfterTheLatency) {
  auto [client, server] = join();
  EXPECT_EQ(server->remote().address(), at("10.0.0.1:0").address());
  EXPECT_EQ(server->local(), at("10.0.0.2:2049"));
  const auto data = pattern(100'000);
  const TimePoint begin = sim.now();
  ASSERT_TRUE(write(*client, data));
  std::vector<std::byte> got(data.size());
  ASSERT_TRUE(read(*server, got));
  EXPECT_EQ(got, data);
  EXPECT_EQ(sim.now() - begin, 100us);
}

TEST_F(MemoryNetworkTest, BandwidthIsKept) {
  net.set_link(at("10.0.0.1:0").address(), at("10.0.0.2:0").address(), {1ms, 0ms, 1'000'000});
  auto [client, server] = join();
  const auto data = pattern(200'000);
  const TimePoint begin = sim.now();
  ASSERT_TRUE(write(*client, data));
  std::vector<std::byte> got(data.size());
  ASSERT_TRUE(read(*server, got));
  EXPECT_EQ(sim.now() - begin, 201ms);
}

TEST_F(MemoryNetworkTest, AWriterWaitsForItsReader) {
  auto [client, server] = join();
  const auto data = pattern(1 << 20);
  TaskGroup group(sim.executor());
  bool done = false;
  auto writer = [](Stream& stream, std::span<const std::byte> bytes, bool& flag) -> Task<void> {
    EXPECT_TRUE(co_await write_all(stream, bytes));
    flag = true;
  };
  group.spawn("writer", writer(*client, data, done));
  sim.run_for(10s);
  EXPECT_FALSE(done);
  EXPECT_EQ(net.bytes_sent(), MemoryNetwork::kWindowBytes);
  std::vector<std::byte> got(data.size());
  ASSERT_TRUE(read(*server, got));
  EXPECT_EQ(got, data);
  sim.settle();
  EXPECT_TRUE(done);
}

TEST_F(MemoryNetworkTest, CloseIsHeardAfterTheData) {
  auto [client, server] = join();
  ASSERT_TRUE(write(*client, pattern(10)));
  client->close();
  std::byte got[10];
  ASSERT_TRUE(read(*server, got));
  const auto end = read(*server, got);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::closed);
}

TEST_F(MemoryNetworkTest, NobodyListeningIsRefused) {
  auto result = sim.run(a.connect(at("10.0.0.2:1")));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::refused);
}

TEST_F(MemoryNetworkTest, APortIsTakenOnce) {
  auto second = b.listen(at("10.0.0.2:2049"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_FALSE(a.listen(at("10.0.0.2:1")));
}

TEST_F(MemoryNetworkTest, APartitionDelaysUntilItHeals) {
  auto [client, server] = join();
  net.partition("a", "b");
  ASSERT_TRUE(write(*client, pattern(10)));
  sim.timers().schedule_after(5s, [this] { net.heal("a", "b"); });
  const TimePoint begin = sim.now();
  std::byte got[10];
  ASSERT_TRUE(read(*server, got));
  EXPECT_GE(sim.now() - begin, 5s);
}

TEST_F(MemoryNetworkTest, ConnectingThroughAPartitionTimesOut) {
  net.partition("a", "b");
  auto result = sim.run(a.connect(at("10.0.0.2:2049")));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::timeout);
}

TEST_F(MemoryNetworkTest, AKilledProcessResetsItsPeers) {
  auto [client, server] = join();
  net.kill("b", MemoryNetwork::Death::process);
  std::byte got[1];
  EXPECT_FALSE(read(*client, got));
  EXPECT_FALSE(write(*client, pattern(1)));
  EXPECT_EQ(sim.run(a.connect(at("10.0.0.2:2049"))).error().code, Errc::refused);
}

TEST_F(MemoryNetworkTest, ANodeWithoutPowerIsSilentAndResetsWhenItIsBack) {
  auto [client, server] = join();
  net.kill("b", MemoryNetwork::Death::power);
  EXPECT_TRUE(write(*client, pattern(1)));
  bool ended = false;
  TaskGroup group(sim.executor());
  auto reader = [](Stream& stream, bool& flag) -> Task<void> {
    std::byte one[1];
    EXPECT_FALSE(co_await read_exactly(stream, one));
    flag = true;
  };
  group.spawn("reader", reader(*client, ended));
  sim.run_for(100s);
  EXPECT_FALSE(ended);
  net.revive("b");
  sim.run_for(1s);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(b.listen(at("0.0.0.0:2049")));
}

TEST(MemoryNetworkSeed, JitterRepeatsFromTheSeed) {
  auto run = [](uint64_t seed) {
    Simulation sim(seed);
    MemoryNetwork net(sim.timers(), sim.random(), {1ms, 5ms, 0});
    Network& a = net.add_node("a", {at("10.0.0.1:0").address()});
    Network& b = net.add_node("b", {at("10.0.0.2:0").address()});
    auto listener = *b.listen(at("10.0.0.2:2049"));
    std::string times;
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(sim.run(a.connect(at("10.0.0.2:2049"))));
      times += fmt::format("{} ", sim.now().time_since_epoch().count());
    }
    return times;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace pnfs::io
