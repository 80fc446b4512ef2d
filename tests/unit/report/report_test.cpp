// What a run comes down to, from events made by hand: lanes, lifetimes, sentences, and a page that says nothing more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbed/report/ladder_text.hpp"
#include "testbed/report/page.hpp"

namespace pnfs::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using trace::Kind;
using trace::OwnedEvent;

constexpr const char* kClient = "Linux NFSv4.1 vm1";

struct ReportTest : ::testing::Test {
  std::vector<OwnedEvent> events;

  OwnedEvent& add(Kind kind, const std::string& node, const std::string& op, const std::string& status = "") {
    OwnedEvent e;
    e.kind = kind;
    e.ts = {1'700'000'000, static_cast<uint32_t>(events.size()) * 1'000'000};
    e.node = node;
    e.op = op;
    e.status = status;
    return events.emplace_back(std::move(e));
  }
  OwnedEvent& op(const std::string& node, const std::string& name, const std::string& status = "NFS4_OK") {
    OwnedEvent& e = add(Kind::op, node, name, status);
    e.client = kClient;
    e.client_addr = "10.77.1.2:800";
    e.conn = 1;
    e.call = events.size();
    e.fileid = 17;
    return e;
  }
  OwnedEvent& state(const std::string& name, const std::string& stateid) {
    OwnedEvent& e = op("mds", name, "");
    e.kind = Kind::state;
    e.stateid = "1/" + stateid;
    return e;
  }
  OwnedEvent& layoutget(const std::string& iomode, const std::string& status) {
    OwnedEvent& e = op("mds", "LAYOUTGET", status);
    e.iomode = iomode;
    e.offset = 0;
    e.length = ~uint64_t{0};
    if (status != "NFS4_OK") e.reason = "READ only", e.section = "15.1.10.1";
    return e;
  }
  OwnedEvent& io(const std::string& node, const std::string& name, uint64_t bytes,
                 const std::string& status = "NFS4_OK") {
    OwnedEvent& e = op(node, name, status);
    e.bytes = bytes;
    return e;
  }
  report::Run run(size_t most = 20'000) { return make_run(events, {.title = "t", .most_rows = most}); }
};

TEST_F(ReportTest, LanesAreClientsThenServersThenTheTarget) {
  add(Kind::scsi, "target", "WRITE(16)", "GOOD").client = "iqn.2026-01.pnfslab.node:ds1";
  OwnedEvent& early = op("mds", "EXCHANGE_ID");
  early.client.clear();  // it has not said yet who it is
  op("mds", "SEQUENCE");
  op("ds2", "SEQUENCE");
  OwnedEvent& grant = add(Kind::control, "mds", "GRANT", "CTL_OK");
  grant.client = "ds1";
  const report::Run r = run();
  std::vector<std::string> titles;
  for (const Lane& lane : r.lanes) titles.push_back(lane.title);
  EXPECT_THAT(titles, ::testing::ElementsAre("vm1", "mds", "ds1", "ds2", "target"));
  EXPECT_EQ(std::pair(r.rows[0].from, r.rows[0].to), std::pair(size_t{2}, size_t{4}));
  EXPECT_EQ(std::pair(r.rows[1].from, r.rows[1].to), std::pair(size_t{0}, size_t{1})) << "by its connection";
  EXPECT_EQ(std::pair(r.rows[4].from, r.rows[4].to), std::pair(size_t{2}, size_t{1}));
}

TEST_F(ReportTest, WhatAClientFellBackTo) {
  layoutget("RW", "NFS4ERR_BADIOMODE");
  EXPECT_THAT(run().fallbacks.at(0), HasSubstr("no WRITE reached any server afterwards"));
  io("mds", "WRITE", 4096);
  EXPECT_THAT(run().fallbacks.at(0),
              HasSubstr("fell back to the metadata server: 1 WRITE there afterwards, 4096 bytes"));
  layoutget("RW", "NFS4_OK");
  EXPECT_THAT(run().fallbacks.at(0), HasSubstr("A later LAYOUTGET was granted"));
  events.clear();
  layoutget("READ", "NFS4_OK");
  io("ds1", "READ", 0, "NFS4ERR_STALE");
  io("mds", "READ", 10);
  EXPECT_THAT(run().fallbacks.at(0),
              HasSubstr("ds1 answered READ NFS4ERR_STALE (1 time). It went on through the metadata server"));
}

TEST_F(ReportTest, LifetimesBeginAndEnd) {
  state("open.granted", "aa");
  OwnedEvent& layout = state("layout.granted", "bb");
  layout.iomode = "RW";
  layout.args = "return_on_close";
  state("delegation.granted", "cc").iomode = "READ";
  add(Kind::fault, "mds", "LAYOUTGET").fault = "rule 1: on mds before LAYOUTGET do delay 1s";
  add(Kind::fault, "mds", "LAYOUTGET").fault = "rule 1: on mds before LAYOUTGET do delay 1s";
  state("open.closed", "aa");
  op("mds", "SEQUENCE");
  const report::Run r = run();
  ASSERT_EQ(r.bars.size(), 4u);
  EXPECT_EQ(r.bars[0].kind, Bar::Kind::open);
  EXPECT_EQ(std::tuple(r.bars[0].begin, r.bars[0].end, r.bars[0].how),
            std::tuple(int64_t{0}, int64_t{5000}, std::string("CLOSE")));
  EXPECT_EQ(r.bars[1].how, "CLOSE") << "the layout was granted to return on close";
  EXPECT_FALSE(r.bars[2].ended);
  EXPECT_EQ(r.bars[2].end, 6000);
  EXPECT_EQ(r.bars[3].hits, (std::vector<int64_t>{3000, 4000}));
}

TEST_F(ReportTest, ScsiCommandsFindTheirRequest) {
  OwnedEvent& write = io("ds1", "WRITE", 8192);
  write.device = "1048576+8192";
  write.us = 5000;
  const uint64_t call = *write.call;
  OwnedEvent& other = io("ds1", "WRITE", 8192);
  other.device = "9000000+8192";
  other.us = 5000;
  OwnedEvent& scsi = add(Kind::scsi, "target", "WRITE(16)", "GOOD");
  scsi.client = "iqn.2026-01.pnfslab.node:ds1";
  scsi.offset = 1048576;
  scsi.length = 8192;
  scsi.bytes = 8192;
  OwnedEvent& stranger = add(Kind::scsi, "target", "WRITE(16)", "GOOD");
  stranger.client = "iqn.2026-01.pnfslab.node:mds";
  stranger.offset = 1048576;
  stranger.length = 8192;
  const report::Run r = run();
  EXPECT_EQ(r.events[2].cause, "ds1:" + std::to_string(call));
  EXPECT_EQ(r.events[3].cause, "");
}

TEST_F(ReportTest, ALongRunLosesItsRoutineFirst) {
  for (int i = 0; i < 50; ++i) op("mds", "SEQUENCE");
  for (int i = 0; i < 50; ++i) io("ds1", "READ", 1);
  layoutget("RW", "NFS4ERR_BADIOMODE");
  const report::Run r = run(20);
  EXPECT_EQ(r.rows.size(), 20u);
  EXPECT_EQ(r.left_out, 81u);
  EXPECT_FALSE(r.rows.back().good);
  EXPECT_EQ(r.rows.front().event->op, "READ");
  EXPECT_EQ(r.traffic.at(0).reads, 50u) << "the sums count what is left out";
}

// Power-on unit attentions are how iSCSI begins; one in the middle tells of a target that was started again.
TEST_F(ReportTest, TheFirstUnitAttentionOfAnInitiatorIsNoError) {
  auto attention = [&](const std::string& initiator) {
    OwnedEvent& e = add(Kind::scsi, "target", "TEST UNIT READY", "CHECK CONDITION");
    e.client = "iqn.2026-01.pnfslab." + initiator;
    e.reason = "UNIT ATTENTION, 2900";
  };
  attention("tool:77");
  attention("node:mds");
  add(Kind::scsi, "target", "WRITE(16)", "GOOD").client = "iqn.2026-01.pnfslab.tool:77";
  events.back().bytes = 4096;
  EXPECT_TRUE(run().failures.empty());
  EXPECT_THAT(to_text(run(), {}), HasSubstr("tools -> target"));
  attention("node:mds");
  const report::Run r = run();
  ASSERT_EQ(r.failures.size(), 1u);
  EXPECT_EQ(r.failures[0].count, 1u);
  EXPECT_FALSE(r.rows.back().good);
}

TEST_F(ReportTest, TextDrawsTheLadder) {
  layoutget("RW", "NFS4ERR_BADIOMODE");
  op("mds", "SEQUENCE");
  op("ds1", "COMMIT");
  OwnedEvent& recall = op("mds", "CB_LAYOUTRECALL");
  recall.kind = Kind::callback;
  const std::string text = to_text(run(), {});
  EXPECT_THAT(text, HasSubstr("|---------x|          |       LAYOUTGET RW 0+all file 17  NFS4ERR_BADIOMODE: READ only "
                              "[RFC 8881 15.1.10.1]"));
  EXPECT_THAT(text, HasSubstr("|-------------------->|"));
  EXPECT_THAT(text, HasSubstr("|<---------|"));
  EXPECT_THAT(text, Not(HasSubstr("SEQUENCE  NFS4_OK")));
}

TEST_F(ReportTest, NothingInTheTraceBecomesMarkup) {
  OwnedEvent& e = layoutget("RW", "NFS4ERR_IO");
  e.reason = "</script><img src=x onerror=alert(1)> \xff\x01 & \"quoted\" {{js}}";
  e.client = "<b>evil</b>";
  const std::string page = to_page(run());
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("<b>evil")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x"));
  EXPECT_THAT(page, HasSubstr("\\u003c/script>"));
  EXPECT_THAT(page, HasSubstr("script-src 'sha256-"));
}

}  // namespace
}  // namespace pnfs::report
