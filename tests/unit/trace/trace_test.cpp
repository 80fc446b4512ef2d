#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/io/timer_queue.hpp"
#include "common/trace/file_sink.hpp"
#include "common/trace/json_line.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::trace {
namespace {

using namespace std::chrono_literals;

Event sample() {
  Event e;
  e.kind = Kind::op;
  e.ts = {1'400'000'000, 42};
  e.node = "mds";
  e.client = "Linux NFSv4.1 vm\"1\"";
  e.conn = 7;
  e.slot = 0;
  e.seq = 4'000'000'000;
  e.op = "LAYOUTGET";
  e.offset = 0xffff'ffff'ffff'ffff;
  e.iomode = "RW";
  e.status = "NFS4ERR_BADIOMODE";
  e.reason = "this export grants layouts for READ only";
  e.section = "15.1.10.1";
  e.us = 12;
  return e;
}

TEST(TraceJsonTest, LineAndBack) {
  std::string line;
  append_json_line(line, sample());
  EXPECT_EQ(line.back(), '\n');
  const auto back = parse_json_line(line);
  ASSERT_TRUE(back) << back.error().reason;
  std::string again;
  append_json_line(again, to_view(*back));
  EXPECT_EQ(again, line);
  EXPECT_EQ(back->ts.nanoseconds, 42u);
  EXPECT_EQ(back->slot, 0u);
  EXPECT_FALSE(back->xid);
}

TEST(TraceJsonTest, HostileTextIsStillValidJson) {
  Event e;
  const std::string path = "a\"\\\n\x01\xff\xc0\x80\xed\xa0\x80 \xc3\xa4 \xf0\x9f\x98\x80";
  e.path = path;
  std::string line;
  append_json_line(line, e);
  const auto json = nlohmann::json::parse(line, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << line;
  EXPECT_NE(line.find("\\u00ff"), std::string::npos);
  EXPECT_NE(line.find("\xc3\xa4"), std::string::npos);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(TraceJsonTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_FALSE(parse_json_line(""));
  EXPECT_FALSE(parse_json_line("[]"));
  EXPECT_FALSE(parse_json_line(R"({"v":2,"ts":1.0,"kind":"op"})"));
  EXPECT_FALSE(parse_json_line(R"({"v":1,"ts":1.0,"kind":"zap"})"));
  EXPECT_FALSE(parse_json_line(R"({"v":1,"ts":1.0,"kind":"op","slot":"x"})"));
  EXPECT_FALSE(parse_json_line(R"({"v":1,"kind":"op"})"));
  EXPECT_TRUE(parse_json_line(R"({"v":1,"ts":1.5,"kind":"op","later":[1]})"));
}

TEST(TraceSinkTest, MemoryFillsNodeAndTime) {
  ManualClock clock;
  MemorySink sink("ds1", clock);
  Event e;
  e.op = "READ";
  sink.record(e);
  sink.set_enabled(false);
  sink.record(e);
  ASSERT_EQ(sink.events().size(), 1u);
  EXPECT_EQ(sink.events()[0].node, "ds1");
  EXPECT_EQ(sink.events()[0].ts, clock.wall());
}

TEST(TraceSinkTest, ScsiIsOnRequest) {
  NullSink off;
  EXPECT_FALSE(off.enabled(Kind::op));
  off.set_enabled(true);
  EXPECT_TRUE(off.enabled(Kind::op));
  EXPECT_FALSE(off.enabled(Kind::scsi));
  off.set_enabled(Kind::scsi, true);
  EXPECT_TRUE(off.enabled(Kind::scsi));
}

struct FileSinkTest : ::testing::Test {
  io::asio::io_context context;
  ManualClock clock;
  io::TimerQueue timers{context.get_executor(), clock};
  std::string path = (std::filesystem::temp_directory_path() / fmt::format("trace-test-{}", ::getpid())).string();
  ~FileSinkTest() override { std::filesystem::remove(path); }
  // Until the sink's thread has written so many.
  std::vector<std::string> wait_for_lines(size_t count) {
    auto got = lines();
    for (int i = 0; i < 5000 && got.size() < count; ++i, got = lines()) std::this_thread::sleep_for(1ms);
    return got;
  }
  std::vector<std::string> lines() {
    std::ifstream file(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
};

TEST_F(FileSinkTest, BuffersUntilTimerSizeOrEnd) {
  auto sink = FileSink::open(path, "mds", timers);
  ASSERT_TRUE(sink);
  (*sink)->record(sample());
  EXPECT_EQ(lines().size(), 0u);
  clock.advance(FileSink::kFlushAfter);
  timers.fire_due();
  EXPECT_EQ(wait_for_lines(1).size(), 1u);
  for (int i = 0; i < 1000; ++i) (*sink)->record(sample());
  EXPECT_GT(wait_for_lines(101).size(), 100u);
  sink->reset();
  EXPECT_EQ(lines().size(), 1001u);
  EXPECT_TRUE(parse_json_line(lines().back()));
  EXPECT_EQ(timers.size(), 0u);
}

TEST_F(FileSinkTest, FlushWaitsUntilAllIsInTheFile) {
  auto sink = FileSink::open(path, "mds", timers);
  ASSERT_TRUE(sink);
  for (size_t i = 1; i <= 20; ++i) {
    (*sink)->record(sample());
    (*sink)->flush();
    EXPECT_EQ(lines().size(), i);
  }
}

// More than the thread is given room for: record() waits, and all is there in order.
TEST_F(FileSinkTest, LosesNothingWhenTheThreadIsBehind) {
  auto sink = FileSink::open(path, "mds", timers);
  ASSERT_TRUE(sink);
  const std::string path_text(4000, 'x');
  constexpr uint64_t kEvents = 4 * LineWriter::kWaiting * FileSink::kBatchBytes / 4000;
  for (uint64_t i = 0; i < kEvents; ++i) {
    Event e = sample();
    e.call = i;
    e.path = path_text;
    (*sink)->record(e);
  }
  (*sink)->flush();
  const auto got = lines();
  ASSERT_EQ(got.size(), kEvents);
  for (uint64_t i = 0; i < kEvents; ++i) EXPECT_EQ(parse_json_line(got[i])->call, i);
}

TEST_F(FileSinkTest, FillsInNodeAndTime) {
  auto sink = FileSink::open(path, "ds1", timers);
  ASSERT_TRUE(sink);
  Event e;
  e.op = "READ";
  (*sink)->record(e);
  (*sink)->flush();
  const auto back = parse_json_line(lines().at(0));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->node, "ds1");
  EXPECT_EQ(back->ts, clock.wall());
}

TEST_F(FileSinkTest, SaysWhatIsWrongWithThePath) {
  const auto sink = FileSink::open("/nonexistent/folder/trace", "mds", timers);
  ASSERT_FALSE(sink);
  EXPECT_NE(sink.error().reason.find("/nonexistent/folder/trace"), std::string::npos);
}

}  // namespace
}  // namespace pnfs::trace
