#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/trace/filter.hpp"
#include "common/trace/follow.hpp"
#include "common/trace/format.hpp"
#include "common/trace/json_line.hpp"

namespace pnfs::trace {
namespace {

Event sample() {
  Event e;
  e.ts = {1'400'000'000, 123'456'789};
  e.node = "mds";
  e.client = "Linux NFSv4.1 vm1";
  e.client_addr = "10.0.0.2:812";
  e.op = "LAYOUTGET";
  e.path = "/dir/file";
  e.fileid = 17;
  e.iomode = "RW";
  e.offset = 0;
  e.length = ~uint64_t{0};
  e.status = "NFS4ERR_BADIOMODE";
  e.reason = "this export grants layouts for READ only";
  e.section = "15.1.10.1";
  e.us = 12;
  return e;
}

bool match(std::string_view term) {
  Filter filter;
  const auto added = filter.add(term);
  EXPECT_TRUE(added) << added.error().reason;
  return filter.matches(sample());
}

TEST(TraceFilterTest, Terms) {
  EXPECT_TRUE(match("op=LAYOUTGET"));
  EXPECT_TRUE(match("op=READ,LAYOUT*"));
  EXPECT_FALSE(match("op=READ"));
  EXPECT_TRUE(match("op!=READ,WRITE"));
  EXPECT_FALSE(match("op!=READ,LAYOUTGET"));
  EXPECT_TRUE(match("status=BADIOMODE"));
  EXPECT_TRUE(match("status!=OK"));
  EXPECT_TRUE(match("file=/dir/*"));
  EXPECT_TRUE(match("file=17"));
  EXPECT_FALSE(match("file=1"));
  EXPECT_TRUE(match("client=10.0.0.2*"));
  EXPECT_TRUE(match("client=*vm1"));
  EXPECT_TRUE(match("kind=op"));
  EXPECT_TRUE(match("us>=12"));
  EXPECT_FALSE(match("us>12"));
  EXPECT_TRUE(match("us<13"));
  EXPECT_FALSE(match("bytes>0")) << "absent";
  EXPECT_TRUE(match("fault="));
  const std::vector<std::string> terms = {"op=LAYOUTGET", "node=ds*"};
  EXPECT_FALSE(Filter::parse(terms)->matches(sample()));
}

TEST(TraceFilterTest, SaysWhatIsWrong) {
  Filter f;
  EXPECT_FALSE(f.add("LAYOUTGET"));
  EXPECT_FALSE(f.add("=x"));
  EXPECT_FALSE(f.add("op!LAYOUTGET"));
  EXPECT_FALSE(f.add("op<5"));
  EXPECT_FALSE(f.add("us<x"));
  EXPECT_NE(f.add("oops=1").error().reason.find("kind, file, node"), std::string::npos);
}

TEST(TraceFormatTest, OneLine) {
  EXPECT_EQ(format_line(sample()),
            "16:53:20.123456 mds    LAYOUTGET            RW 0+all /dir/file NFS4ERR_BADIOMODE: this export grants "
            "layouts for "
            "READ only [15.1.10.1]  client=Linux NFSv4.1 vm1  12us");
  EXPECT_TRUE(format_line(sample(), {.date = true, .utc_offset_minutes = 600}).starts_with("2014-05-14 02:53:20."));
  const std::string coloured = format_line(sample(), {.colours = true});
  EXPECT_NE(coloured.find("\x1b[31mNFS4ERR_BADIOMODE\x1b[0m"), std::string::npos);
  Event hostile = sample();
  hostile.client = "\x1b[2J\n";
  EXPECT_EQ(format_line(hostile).find('\x1b'), std::string::npos);
}

TEST(TraceFollowerTest, WholeLinesAsTheyCome) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("follow-test-{}", ::getpid());
  Follower follower(path.string());
  std::vector<std::string> ops;
  auto take = [&](const OwnedEvent& e) { ops.push_back(e.op); };
  EXPECT_EQ(*follower.poll(take), 0u) << "no file yet";
  std::string line;
  append_json_line(line, sample());
  {
    std::ofstream file(path);
    file << line << line.substr(0, 20) << std::flush;
    EXPECT_EQ(*follower.poll(take), 1u);
    file << line.substr(20) << "garbage\n" << std::flush;
    EXPECT_EQ(*follower.poll(take), 1u);
    EXPECT_EQ(follower.bad_lines(), 1u);
  }
  {
    std::ofstream file(path);  // a new run
    file << line << std::flush;
    EXPECT_EQ(*follower.poll(take), 1u);
  }
  EXPECT_EQ(ops.size(), 3u);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace pnfs::trace
