#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/live/desk.hpp"
#include "common/live/metrics.hpp"
#include "common/live/metrics_server.hpp"

namespace pnfs::live {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Desk desk_with_numbers() {
  Desk desk("mds");
  desk.add("numbers", [](Table& out) {
    for (uint64_t i = 0; i < 100'000; ++i)
      if (out.wants_file(i)) out.add([&] { return Row{{"fileid", i}}; });
  });
  return desk;
}

TEST(Desk, AnswersWithRowsAndHowManyThereAre) {
  const Desk desk = desk_with_numbers();
  const Row some = Row::parse(*desk.command("state numbers limit=3"));
  EXPECT_EQ(some["node"], "mds");
  EXPECT_EQ(some["version"], kVersion);
  EXPECT_EQ(some["total"], 100'000);
  EXPECT_EQ(some["rows"].size(), 3u);
  const Row one = Row::parse(*desk.command("state numbers fileid=77"));
  EXPECT_EQ(one["total"], 1);
  EXPECT_EQ(one["rows"][0]["fileid"], 77);
  EXPECT_EQ(Row::parse(*desk.command("state"))["tables"], Row::array({"numbers"}));
}

TEST(Desk, IsBoundedWhateverIsAskedFor) {
  const Row many = Row::parse(*desk_with_numbers().command("state numbers limit=99999999"));
  EXPECT_EQ(many["rows"].size(), kMostRows);
}

TEST(Desk, SaysWhatIsWrongWithACommand) {
  const Desk desk = desk_with_numbers();
  EXPECT_EQ(desk.command("state nothing").error().code, Errc::not_found);
  for (const char* wrong : {"state numbers limit", "state numbers limit=", "state numbers limit=-1", "state numbers x=1",
                            "state numbers limit=1x"})
    EXPECT_EQ(desk.command(wrong).error().code, Errc::invalid) << wrong;
}

TEST(Text, OwnersOfAnyBytesCanBePrinted) {
  EXPECT_EQ(printable("a\n\x80\\b"), "a\\x0a\\x80\\x5cb");
  EXPECT_EQ(printable(std::string(1000, 'x')), std::string(256, 'x') + "...");
}

TEST(Metrics, AreOpenMetricsText) {
  Metrics metrics("ds\"1\"");
  metrics.counter("pnfslab_bytes", "Bytes\nmoved", "bytes");
  metrics.sample({{"op", "READ"}}, uint64_t{7});
  metrics.gauge("pnfslab_up", "1");
  metrics.sample(uint64_t{1});
  EXPECT_EQ(std::move(metrics).finish(),
            "# TYPE pnfslab_bytes counter\n# UNIT pnfslab_bytes bytes\n# HELP pnfslab_bytes Bytes\\nmoved\n"
            "pnfslab_bytes_total{node=\"ds\\\"1\\\"\",op=\"READ\"} 7\n"
            "# TYPE pnfslab_up gauge\n# HELP pnfslab_up 1\npnfslab_up{node=\"ds\\\"1\\\"\"} 1\n# EOF\n");
}

TEST(MetricsAddress, IsALoopbackOrNone) {
  EXPECT_EQ(io::to_string(*parse_metrics_address("9100")), "127.0.0.1:9100");
  EXPECT_EQ(io::to_string(*parse_metrics_address("[::1]:9100")), "[::1]:9100");
  EXPECT_EQ(parse_metrics_address("0.0.0.0:9100").error().code, Errc::invalid);
  EXPECT_FALSE(parse_metrics_address("nonsense"));
}

struct MetricsServerTest : ::testing::Test {
  io::Simulation sim{3};
  io::MemoryNetwork net{sim.timers(), sim.random()};
  io::Network& node = net.add_node("a", {boost::asio::ip::make_address("127.0.0.1")});
  std::unique_ptr<MetricsServer> server =
      *MetricsServer::open(node, sim.timers(), *parse_metrics_address("9100"), [] { return std::string("page\n"); });

  static io::Task<std::string> ask(io::Network& from, std::string request) {
    auto stream = co_await from.connect(*parse_metrics_address("9100"));
    const io::ConstBytes pieces[] = {std::as_bytes(std::span(request))};
    (void)co_await (*stream)->write(pieces);
    std::string answer;
    for (;;) {
      std::array<std::byte, 512> into;
      const auto got = co_await (*stream)->read_some(into);
      if (!got) co_return answer;
      answer.append(reinterpret_cast<const char*>(into.data()), *got);
    }
  }
  std::string answer_to(std::string request) { return sim.run(ask(node, std::move(request))); }

  ~MetricsServerTest() override {
    server->stop();
    sim.run(server->join());
  }
};

TEST_F(MetricsServerTest, AnswersGet) {
  const std::string answer = answer_to("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr(kMetricsType));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\npage\n"));
}

TEST_F(MetricsServerTest, RefusesWhatItIsNot) {
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(answer_to("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), StartsWith("HTTP/1.1 405"));
  EXPECT_EQ(answer_to("\x80\x00\x00\x28 nonsense \r\n\r\n"), "");
  EXPECT_EQ(answer_to("GET /metrics HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), "");
}

TEST_F(MetricsServerTest, ForgetsPeersThatSayNothing) {
  const TimePoint before = sim.now();
  EXPECT_EQ(answer_to("GET /met"), "");
  EXPECT_LE(sim.now() - before, 2 * MetricsServer::kTimeout);
}

}  // namespace
}  // namespace pnfs::live
