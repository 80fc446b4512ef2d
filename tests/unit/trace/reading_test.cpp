#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/trace/filter.hpp"
#include "common/trace/follow.hpp"
#include "common/trace/format.hpp"
#include "common/trace/json_line.hpp"
#include "common/trace/reading.hpp"

namespace pnfs::trace {
namespace {

Event sample_event() {
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
  e.call = 5;
  e.cause = "ds1:17";
  e.us = 12;
  return e;
}

bool match(std::string_view term) {
  Filter filter;
  const auto added = filter.add(term);
  EXPECT_TRUE(added) << added.error().reason;
  return filter.matches(sample_event());
}

TEST(TraceFilterTest, WhatWentWell) {
  Filter troubles;
  ASSERT_TRUE(troubles.add("status!=OK"));
  for (const char* status : {"NFS4_OK", "CTL_OK", "GOOD", ""}) {  // "": state and network events have none
    Event event = sample_event();
    event.status = status;
    EXPECT_FALSE(troubles.matches(event)) << status;
  }
  for (const char* status : {"NFS4ERR_DELAY", "CTL_DELAY", "CHECK_CONDITION"}) {
    Event event = sample_event();
    event.status = status;
    EXPECT_TRUE(troubles.matches(event)) << status;
  }
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
  EXPECT_FALSE(match("bytes!=0")) << "absent";
  EXPECT_TRUE(match("fault="));
  EXPECT_TRUE(match("request=mds:5"));
  EXPECT_TRUE(match("request=ds1:17"));
  EXPECT_FALSE(match("request=ds1:5"));
  const std::vector<std::string> terms = {"op=LAYOUTGET", "node=ds*"};
  EXPECT_FALSE(Filter::parse(terms)->matches(sample_event()));
}

TEST(TraceFilterTest, SaysWhatIsWrong) {
  Filter f;
  EXPECT_FALSE(f.add("LAYOUTGET"));
  EXPECT_FALSE(f.add("=x"));
  EXPECT_FALSE(f.add("op!LAYOUTGET"));
  EXPECT_FALSE(f.add("op<5"));
  EXPECT_FALSE(f.add("us<x"));
  EXPECT_NE(f.add("oops=1").error().reason.find("kind, file, request"), std::string::npos);
}

TEST(TraceFormatTest, OneLine) {
  EXPECT_EQ(format_line(sample_event()),
            "16:53:20.123456 mds    LAYOUTGET            RW 0+all /dir/file NFS4ERR_BADIOMODE: this export grants "
            "layouts for "
            "READ only [15.1.10.1]  client=Linux NFSv4.1 vm1  cause=ds1:17  12us");
  EXPECT_TRUE(
      format_line(sample_event(), {.date = true, .utc_offset_minutes = 600}).starts_with("2014-05-14 02:53:20."));
  const std::string coloured = format_line(sample_event(), {.colours = true});
  EXPECT_NE(coloured.find("\x1b[31mNFS4ERR_BADIOMODE\x1b[0m"), std::string::npos);
  Event hostile = sample_event();
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
  append_json_line(line, sample_event());
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

struct ReadFilesTest : ::testing::Test {
  std::string path = (std::filesystem::temp_directory_path() / "pnfslab-read-files.jsonl").string();
  ~ReadFilesTest() override { std::filesystem::remove(path); }
  Result<std::vector<OwnedEvent>> read(const std::string& text) {
    std::ofstream(path) << text;
    return read_files(std::vector<std::string>{path});
  }
};

TEST_F(ReadFilesTest, InOrderOfTimeAndACutLineOnlyAtTheEnd) {
  std::string first, second;
  Event e = sample_event();
  append_json_line(second, e);
  e.ts.seconds -= 1;
  e.op = "OPEN";
  append_json_line(first, e);
  auto both = read(second + first);
  ASSERT_TRUE(both) << both.error().reason;
  ASSERT_EQ(both->size(), 2u);
  EXPECT_EQ((*both)[0].op, "OPEN");
  EXPECT_EQ(read(first + second.substr(0, 50))->size(), 1u);
  const auto broken = read(second.substr(0, 50) + "\n" + first);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().reason.find(path), std::string::npos);
  EXPECT_EQ(read_files(std::vector<std::string>{path + ".none"}).error().code, Errc::io);
}

// Two requests at once: the bytes on the volume tell whose command it was; without them only who ran alone is named.
TEST(FindCausesTest, ByTheVolumesBytesElseByWhoRanAlone) {
  std::vector<OwnedEvent> events;
  auto at = [&](int us, Kind kind, std::string node) -> OwnedEvent& {
    OwnedEvent& e = events.emplace_back();
    e.ts = {100, static_cast<uint32_t>(us * 1000)};
    e.kind = kind;
    e.node = std::move(node);
    return e;
  };
  auto request = [&](int us, uint64_t call, std::string device, uint64_t took) {
    OwnedEvent& e = at(us, Kind::op, "ds1");
    e.call = call;
    e.device = std::move(device);
    e.us = took;
  };
  auto command = [&](int us, uint64_t offset) {
    OwnedEvent& e = at(us, Kind::scsi, "target");
    e.client = "iqn.2026-01.pnfslab.node:ds1";
    if (offset != 0) e.offset = offset, e.length = 4096;
  };
  request(10, 1, "4096+4096,20480+8192", 100);
  request(20, 2, "65536+4096", 100);
  command(30, 24576);
  command(31, 65536);
  command(32, 999424);
  command(33, 0);
  request(500, 3, "", 50);
  command(510, 0);
  command(700, 0);
  find_causes(events);
  std::vector<std::string> causes;
  for (const OwnedEvent& e : events)
    if (e.kind == Kind::scsi) causes.push_back(e.cause);
  EXPECT_EQ(causes, (std::vector<std::string>{"ds1:1", "ds1:2", "", "", "ds1:3", ""}));
}

// What the metadata server writes for a control call is the data server's request's.
TEST(FindCausesTest, AControlCallStandsForTheRequestThatLedToIt) {
  std::vector<OwnedEvent> events(3);
  for (size_t i = 0; i < events.size(); ++i) events[i].ts = {100, static_cast<uint32_t>(i * 10'000)};
  events[0].kind = Kind::control, events[0].node = "mds", events[0].client = "ds1", events[0].cause = "ds1:7",
  events[0].us = 15;
  for (OwnedEvent& e : std::span(events).subspan(1))
    e.kind = Kind::scsi, e.node = "target", e.client = "iqn.2026-01.pnfslab.node:mds", e.offset = 0, e.length = 4096;
  find_causes(events);
  EXPECT_EQ(events[1].cause, "ds1:7");
  EXPECT_EQ(events[2].cause, "") << "it had ended";
}

}  // namespace
}  // namespace pnfs::trace
