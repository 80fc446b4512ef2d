#include "mds/layout/layout_table.hpp"

#include <gtest/gtest.h>

namespace pnfs::mds::layout {
namespace {

using namespace nfs;

constexpr clientid4 kClient = 1;
constexpr FileId kStripedFile = 7;
const ByteRange kWhole{};

struct LayoutTableTest : ::testing::Test {
  uint8_t made = 0;
  LayoutTable table{[this] {
    LayoutTable::Other other{};
    other[11] = static_cast<std::byte>(++made);
    return other;
  }};
  stateid4 grant(bool rw = true, ByteRange range = {}, clientid4 client = kClient) {
    return table.granted(client, kStripedFile, {range, rw});
  }
  Status get(const stateid4& stateid, ByteRange range = {}, bool is_layout = true) {
    return table.may_get(kClient, kStripedFile, stateid, is_layout, range);
  }
  Status give_back(const stateid4& stateid, layoutiomode4 iomode = LAYOUTIOMODE4_ANY, ByteRange range = {}) {
    return table.give_back(kClient, kStripedFile, stateid, iomode, range, remaining);
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
  EXPECT_TRUE(table.holds(kClient, kStripedFile, true));
}

TEST_F(LayoutTableTest, ReturningTheMiddleSplits) {
  const auto stateid = grant(true, {0, 300});
  ASSERT_TRUE(give_back(stateid, LAYOUTIOMODE4_RW, {100, 200}).ok());
  const auto segments = table.segments(kClient, kStripedFile);
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
  EXPECT_EQ(table.may_get(2, kStripedFile, stateid, true, kWhole).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(table.may_get(kClient, 8, stateid, true, kWhole).status, NFS4ERR_BAD_STATEID);
}

TEST_F(LayoutTableTest, CommitWantsAnRwLayoutOfTheRange) {
  const auto read = grant(false, {0, 100});
  EXPECT_EQ(table.may_commit(kClient, kStripedFile, read, {0, 10}).status, NFS4ERR_BADIOMODE);
  EXPECT_EQ(table.may_commit(kClient, kStripedFile, read, {200, 210}).status, NFS4ERR_BADLAYOUT);
  const auto rw = grant(true, {0, 100});
  EXPECT_TRUE(table.may_commit(kClient, kStripedFile, rw, {0, 10}).ok());
  stateid4 unknown = rw;
  unknown.other.bytes[0] = std::byte{9};
  EXPECT_EQ(table.may_commit(kClient, kStripedFile, unknown, {0, 10}).status, NFS4ERR_BADLAYOUT);
}

// The last word of a recall names the whole recalled range (12.5.5.1). Until it comes the stateid lives; state it is none.
TEST_F(LayoutTableTest, AllReturnedButForTheLastWordIsNoState) {
  const auto held = grant();
  const auto recalls = table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(5)});
  ASSERT_EQ(recalls.size(), 1u);
  EXPECT_TRUE(table.has_state(kClient));
  ASSERT_TRUE(give_back(held, LAYOUTIOMODE4_RW, kWhole).ok()) << "on its way when the recall came";
  EXPECT_TRUE(table.recall_outstanding(kStripedFile));
  EXPECT_FALSE(table.has_state(kClient)) << "or DESTROY_CLIENTID would be refused";
  table.revoke(kClient, kStripedFile, {});
  EXPECT_FALSE(table.has_revoked(kClient)) << "there was nothing left to lose";
}

TEST_F(LayoutTableTest, GettingDuringARecall) {
  const auto held = grant();
  const auto recalls = table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(5)});
  ASSERT_EQ(recalls.size(), 1u);
  EXPECT_EQ(recalls[0].stateid.seqid, held.seqid + 1);
  EXPECT_EQ(get(held).status, NFS4ERR_RECALLCONFLICT) << "sent before the client saw the recall";
  EXPECT_EQ(get(recalls[0].stateid).status, NFS4ERR_RECALLCONFLICT) << "the callback is not answered yet";
  table.recall_answered(kClient, kStripedFile, true);
  EXPECT_EQ(get(recalls[0].stateid).status, NFS4ERR_RETURNCONFLICT);
  EXPECT_TRUE(table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(6)}).empty())
      << "once is enough";
  ASSERT_TRUE(give_back(recalls[0].stateid).ok());
  EXPECT_FALSE(table.recall_outstanding(kStripedFile));
  EXPECT_FALSE(table.holds(kClient, kStripedFile));
}

TEST_F(LayoutTableTest, PartsOfARecallMayBeReturnedFirst) {
  grant();
  const auto recall = table.recall_file(kStripedFile, {0, 1000}, LAYOUTIOMODE4_RW, {})[0];
  ASSERT_TRUE(give_back(recall.stateid, LAYOUTIOMODE4_RW, {0, 500}).ok());
  EXPECT_TRUE(table.recall_outstanding(kStripedFile));
  ASSERT_TRUE(give_back(*remaining, LAYOUTIOMODE4_RW, {0, 1000}).ok());
  EXPECT_FALSE(table.recall_outstanding(kStripedFile));
  EXPECT_TRUE(remaining.has_value()) << "what lies past the recall is still held";
}

TEST_F(LayoutTableTest, AClientThatForgotIsBelieved) {
  grant();
  table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_ANY, {});
  table.recall_answered(kClient, kStripedFile, false);
  EXPECT_FALSE(table.holds(kClient, kStripedFile));
}

TEST_F(LayoutTableTest, RecallsSpareWhomTheyAreForAndWhomTheyDoNotConcern) {
  grant(true, {}, 1);
  grant(true, {}, 2);
  grant(false, {}, 3);
  const auto recalls = table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_RW, {}, 1);
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
  EXPECT_EQ(files, std::vector<FileId>{kStripedFile});
  EXPECT_FALSE(table.has_state(kClient));
}

TEST_F(LayoutTableTest, NoBulkRecallWhileAnotherIsOut) {
  grant();
  table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_ANY, {});
  EXPECT_FALSE(table.recall_bulk(kClient, BulkScope::all, {}));
}

TEST_F(LayoutTableTest, ARevokedLayoutIsRememberedUntilFreed) {
  const auto stateid = grant();
  table.revoke(kClient, kStripedFile, {});
  EXPECT_TRUE(table.has_revoked(kClient));
  EXPECT_EQ(table.test(kClient, stateid).status, NFS4ERR_ADMIN_REVOKED);
  EXPECT_EQ(get(stateid).status, NFS4ERR_ADMIN_REVOKED);
  EXPECT_TRUE(table.free(kClient, stateid).ok());
  EXPECT_FALSE(table.has_revoked(kClient));
}

TEST_F(LayoutTableTest, AnOverdueRecallRevokes) {
  const auto stateid = grant();
  table.recall_file(kStripedFile, kWhole, LAYOUTIOMODE4_ANY, TimePoint{Duration(100)});
  EXPECT_TRUE(table.revoke_overdue(TimePoint{Duration(99)}, TimePoint{Duration(200)}).empty());
  EXPECT_TRUE(table.holds(kClient, kStripedFile));
  ASSERT_EQ(table.revoke_overdue(TimePoint{Duration(100)}, TimePoint{Duration(200)}).size(), 1u);
  EXPECT_FALSE(table.holds(kClient, kStripedFile));
  EXPECT_EQ(get(stateid).status, NFS4ERR_ADMIN_REVOKED);
  EXPECT_EQ(give_back(stateid).status, NFS4ERR_ADMIN_REVOKED);
  EXPECT_EQ(table.may_commit(kClient, kStripedFile, stateid, kWhole).status, NFS4ERR_ADMIN_REVOKED);
  table.forget_revoked(TimePoint{Duration(199)});
  EXPECT_TRUE(table.has_revoked(kClient));
  table.forget_revoked(TimePoint{Duration(200)});
  EXPECT_FALSE(table.has_revoked(kClient));
  EXPECT_EQ(get(stateid).status, NFS4ERR_BAD_STATEID);
}

TEST_F(LayoutTableTest, AnOverdueBulkRecallEndsWithAllItsLayouts) {
  grant();
  ASSERT_TRUE(table.recall_bulk(kClient, BulkScope::all, TimePoint{Duration(100)}));
  EXPECT_EQ(table.revoke_overdue(TimePoint{Duration(100)}, TimePoint{Duration(100)}).size(), 1u);
  stateid4 open;
  EXPECT_TRUE(table.may_get(kClient, kStripedFile, open, false, kWhole).ok()) << "the client may begin again";
}

TEST_F(LayoutTableTest, ABulkReturnOfOneIomodeDoesNotCompleteTheRecall) {
  grant(true);
  grant(false);
  ASSERT_TRUE(table.recall_bulk(kClient, BulkScope::fsid, {}));
  std::vector<FileId> files;
  ASSERT_TRUE(table.give_back_all(kClient, BulkScope::fsid, LAYOUTIOMODE4_RW, files).ok());
  EXPECT_FALSE(table.holds(kClient, kStripedFile, true));
  stateid4 open;
  EXPECT_EQ(table.may_get(kClient, kStripedFile, open, false, kWhole).status, NFS4ERR_RECALLCONFLICT);
  ASSERT_TRUE(table.give_back_all(kClient, BulkScope::fsid, LAYOUTIOMODE4_ANY, files).ok());
  EXPECT_TRUE(table.may_get(kClient, kStripedFile, open, false, kWhole).ok());
}

TEST_F(LayoutTableTest, OverlappingRequestsLeaveOnePiece) {
  grant(true, {0, 8192});
  grant(true, {4096, 16384});
  grant(false, {0, 4096});
  grant(false, {32768, 65536});
  EXPECT_EQ(table.covered(kClient, kStripedFile, true), (std::vector<ByteRange>{{0, 16384}}));
  EXPECT_EQ(table.covered(kClient, kStripedFile, false), (std::vector<ByteRange>{{0, 16384}, {32768, 65536}}));
}

TEST_F(LayoutTableTest, VeryManyPiecesAreRefused) {
  stateid4 stateid;
  for (uint64_t i = 0; i < LayoutTable::kMostPieces; ++i) stateid = grant(true, {i * 8192, i * 8192 + 4096});
  EXPECT_EQ(get(stateid).status, NFS4ERR_LAYOUTTRYLATER);
}

TEST_F(LayoutTableTest, SeqidsWrapFromAllOnesToOne) {
  auto stateid = grant();
  // As many gets as there are seqids would take a while: the rule shows in the arithmetic of what lies behind.
  stateid.seqid = UINT32_MAX;  // one behind 0xffffffff -> 1 would be two behind 2
  EXPECT_EQ(get(stateid).status, NFS4_OK) << "seqid 0xffffffff lies one behind 1";
}

}  // namespace
}  // namespace pnfs::mds::layout
