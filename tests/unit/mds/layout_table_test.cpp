#include "mds/layout/layout_table.hpp"

#include <gtest/gtest.h>

namespace pnfs::mds::layout {
namespace {

using namespace nfs;

constexpr clientid4 kClient = 1;
constexpr FileId kFile = 7;
const ByteRange kWhole{};

struct LayoutTableTest : ::testing::Test {
  uint8_t made = 0;
  LayoutTable table{[this] {
    LayoutTable::Other other{};
    other[11] = static_cast<std::byte>(++made);
    return other;
  }};
  stateid4 grant(bool rw = true, ByteRange range = {}, clientid4 client = kClient) {
    return table.granted(client, kFile, {range, rw});
  }
  Status get(const stateid4& stateid, ByteRange range = {}, bool is_layout = true) {
    return table.may_get(kClient, kFile, stateid, is_layout, range);
  }
  Status give_back(const stateid4& stateid, layoutiomode4 iomode = LAYOUTIOMODE4_ANY, ByteRange range = {}) {
    return table.give_back(kClient, kFile, stateid, iomode, range, remaining);
  }
  std::optional<stateid4> remaining;
};

TEST_F(LayoutTableTest, SeqidStartsAtOneAndGrowsWithEachGetAndReturn) {
  const auto first = grant(true, {0, 4096});
  EXPECT_EQ(first.seqid, 1u);
  const auto second = grant(true, {8192, 12288});
  EXPECT_EQ(second.seqid, 2u);
  EXPECT_EQ(second.other, first.other);
  ASSERT_TRUE(give_back(second, LAYOUTIOMODE4_RW, {0, 4096}).ok());
  ASSERT_TRUE(remaining.has_value());
  EXPECT_EQ(remaining->seqid, 3u);
}

TEST_F(LayoutTableTest, ReturningTheLastByteEndsTheStateid) {
  const auto stateid = grant();
  ASSERT_TRUE(give_back(stateid).ok());
  EXPECT_FALSE(remaining.has_value());
  EXPECT_EQ(give_back(stateid).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(get(stateid).status, NFS4ERR_BAD_STATEID);
  EXPECT_NE(grant().other, stateid.other) << "a new life has a new identity";
}

TEST_F(LayoutTableTest, ReturningReadKeepsRw) {
  grant(false);
  const auto stateid = grant(true);
  ASSERT_TRUE(give_back(stateid, LAYOUTIOMODE4_READ).ok());
  EXPECT_TRUE(remaining.has_value());
  EXPECT_TRUE(table.holds(kClient, kFile, true));
}

TEST_F(LayoutTableTest, ReturningTheMiddleSplits) {
  const auto stateid = grant(true, {0, 300});
  ASSERT_TRUE(give_back(stateid, LAYOUTIOMODE4_RW, {100, 200}).ok());
  const auto segments = table.segments(kClient, kFile);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].range, (ByteRange{0, 100}));
  EXPECT_EQ(segments[1].range, (ByteRange{200, 300}));
}

TEST_F(LayoutTableTest, SeqidRulesOfLayoutStateids) {
  auto stateid = grant();
  for (int i = 0; i < 10; ++i) stateid = grant();
  auto presented = stateid;
  presented.seqid = 3;  // others are under way: not an error
  EXPECT_TRUE(get(presented).ok());
  presented.seqid = 0;
  EXPECT_EQ(get(presented).status, NFS4ERR_BAD_STATEID);
  presented.seqid = stateid.seqid + 1;
  EXPECT_EQ(get(presented).status, NFS4ERR_BAD_STATEID) << "never given out";
  for (uint32_t i = 0; i <= LayoutTable::kSeqidRange; ++i) stateid = grant();
  presented.seqid = 3;
  EXPECT_EQ(get(presented).status, NFS4ERR_OLD_STATEID);
}

TEST_F(LayoutTableTest, StateidsOfOtherClientsAndFilesAreBad) {
  const auto stateid = grant();
  EXPECT_EQ(table.may_get(2, kFile, stateid, true, kWhole).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(table.may_get(kClient, 8, stateid, true, kWhole).status, NFS4ERR_BAD_STATEID);
}

TEST_F(LayoutTableTest, CommitWantsAnRwLayoutOfTheRange) {
  const auto read = grant(false, {0, 100});
  EXPECT_EQ(table.may_commit(kClient, kFile, read, {0, 10}).status, NFS4ERR_BADIOMODE);
  EXPECT_EQ(table.may_commit(kClient, kFile, read, {200, 210}).status, NFS4ERR_BADLAYOUT);
  const auto rw = grant(true, {0, 100});
  EXPECT_TRUE(table.may_commit(kClient, kFile, rw, {0, 10}).ok());
  stateid4 unknown = rw;
  unknown.other.bytes[0] = std::byte{9};
  EXPECT_EQ(table.may_commit(kClient, kFile, unknown, {0, 10}).status, NFS4ERR_BADLAYOUT);
}

TEST_F(LayoutTableTest, GettingDuringARecall) {
  const auto held = grant();
  const auto recalls = table.recall_file(kFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(5)});
  ASSERT_EQ(recalls.size(), 1u);
  EXPECT_EQ(recalls[0].stateid.seqid, held.seqid + 1);
  EXPECT_EQ(get(held).status, NFS4ERR_RECALLCONFLICT) << "sent before the client saw the recall";
  EXPECT_EQ(get(recalls[0].stateid).status, NFS4ERR_RECALLCONFLICT) << "the callback is not answered yet";
  table.recall_answered(kClient, kFile, true);
  EXPECT_EQ(get(recalls[0].stateid).status, NFS4ERR_RETURNCONFLICT);
  EXPECT_TRUE(table.recall_file(kFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(6)}).empty()) << "once is enough";
  ASSERT_TRUE(give_back(recalls[0].stateid).ok());
  EXPECT_FALSE(table.recall_outstanding(kFile));
  EXPECT_FALSE(table.holds(kClient, kFile));
}

TEST_F(LayoutTableTest, PartsOfARecallMayBeReturnedFirst) {
  grant();
  const auto recall = table.recall_file(kFile, {0, 1000}, LAYOUTIOMODE4_RW, {})[0];
  ASSERT_TRUE(give_back(recall.stateid, LAYOUTIOMODE4_RW, {0, 500}).ok());
  EXPECT_TRUE(table.recall_outstanding(kFile));
  ASSERT_TRUE(give_back(*remaining, LAYOUTIOMODE4_RW, {0, 1000}).ok());
  EXPECT_FALSE(table.recall_outstanding(kFile));
  EXPECT_TRUE(remaining.has_value()) << "what lies past the recall is still held";
}

TEST_F(LayoutTableTest, AClientThatForgotIsBelieved) {
  grant();
  table.recall_file(kFile, kWhole, LAYOUTIOMODE4_ANY, {});
  table.recall_answered(kClient, kFile, false);
  EXPECT_FALSE(table.holds(kClient, kFile));
}

TEST_F(LayoutTableTest, RecallsSpareWhomTheyAreForAndWhomTheyDoNotConcern) {
  grant(true, {}, 1);
  grant(true, {}, 2);
  grant(false, {}, 3);
  const auto recalls = table.recall_file(kFile, kWhole, LAYOUTIOMODE4_RW, {}, 1);
  ASSERT_EQ(recalls.size(), 1u);
  EXPECT_EQ(recalls[0].client, 2u);
}

TEST_F(LayoutTableTest, BulkRecallStopsEverythingButItsOwnReturn) {
  const auto stateid = grant();
  ASSERT_TRUE(table.recall_bulk(kClient, BulkScope::all, {}));
  EXPECT_EQ(get(stateid).status, NFS4ERR_RECALLCONFLICT);
  EXPECT_EQ(give_back(stateid).status, NFS4ERR_RECALLCONFLICT);
  std::vector<FileId> files;
  EXPECT_EQ(table.give_back_all(kClient, BulkScope::fsid, LAYOUTIOMODE4_ANY, files).status, NFS4ERR_RECALLCONFLICT);
  EXPECT_TRUE(table.give_back_all(kClient, BulkScope::all, LAYOUTIOMODE4_ANY, files).ok());
  EXPECT_EQ(files, std::vector<FileId>{kFile});
  EXPECT_FALSE(table.has_state(kClient));
}

TEST_F(LayoutTableTest, NoBulkRecallWhileAnotherIsOut) {
  grant();
  table.recall_file(kFile, kWhole, LAYOUTIOMODE4_ANY, {});
  EXPECT_FALSE(table.recall_bulk(kClient, BulkScope::all, {}));
}

TEST_F(LayoutTableTest, ARevokedLayoutIsRememberedUntilFreed) {
  const auto stateid = grant();
  table.revoke(kClient, kFile);
  EXPECT_TRUE(table.has_revoked(kClient));
  EXPECT_EQ(table.test(kClient, stateid).status, NFS4ERR_ADMIN_REVOKED);
  EXPECT_EQ(get(stateid).status, NFS4ERR_BAD_STATEID);
  EXPECT_TRUE(table.free(kClient, stateid).ok());
  EXPECT_FALSE(table.has_revoked(kClient));
}

TEST_F(LayoutTableTest, OverdueRecallsAreFound) {
  grant();
  table.recall_file(kFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(100)});
  EXPECT_TRUE(table.overdue(TimePoint{Duration(99)}).empty());
  EXPECT_EQ(table.overdue(TimePoint{Duration(100)}).size(), 1u);
}

}  // namespace
}  // namespace pnfs::mds::layout
