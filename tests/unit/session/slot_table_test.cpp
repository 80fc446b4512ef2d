#include "common/session/slot_table.hpp"

#include <gtest/gtest.h>

namespace pnfs::session {
namespace {

using Verdict = SlotTable::Verdict;

SequenceRequest request(uint32_t sequence, uint32_t slot = 0, uint32_t highest = 0, uint64_t digest = 7) {
  return {.sequence = sequence, .slot = slot, .highest_slot = std::max(slot, highest), .digest = digest};
}

std::vector<std::byte> reply_of(size_t bytes) {
  return std::vector<std::byte>(bytes, std::byte{42});
}

class SlotTableTest : public testing::Test {
 protected:
  Verdict begin(SequenceRequest r) {
    SlotTable::Answer answer = table.begin(r);
    status = answer.status.status;
    return answer.verdict;
  }
  void run(uint32_t sequence, uint32_t slot = 0, uint32_t highest = 0) {
    ASSERT_EQ(begin(request(sequence, slot, highest)), Verdict::execute);
    table.finish(slot, reply_of(100), true);
  }
  SlotTable table{8};
  nfs::nfsstat4 status = nfs::NFS4_OK;
};

TEST_F(SlotTableTest, FirstSequenceIsOne) {
  EXPECT_EQ(begin(request(0)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_SEQ_MISORDERED);
  EXPECT_EQ(begin(request(2)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_SEQ_MISORDERED);
  EXPECT_EQ(begin(request(1)), Verdict::execute);
}

TEST_F(SlotTableTest, RetryIsAnsweredFromTheCache) {
  run(1);
  EXPECT_EQ(begin(request(1)), Verdict::replay);
  EXPECT_EQ(table.slot(0).reply, reply_of(100));
  run(2);
  EXPECT_EQ(begin(request(1)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_SEQ_MISORDERED);
}

TEST_F(SlotTableTest, RetryOfAnUncachedRequestIsKnownAsSuch) {
  ASSERT_EQ(begin(request(1)), Verdict::execute);
  table.finish(0, reply_of(10), false);
  EXPECT_EQ(begin(request(1)), Verdict::replay_unknown);
}

TEST_F(SlotTableTest, RetryWhileItRunsIsDelayed) {
  ASSERT_EQ(begin(request(1)), Verdict::execute);
  EXPECT_EQ(begin(request(1)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_DELAY);
  EXPECT_EQ(begin(request(2)), Verdict::refuse) << "the client must wait for the reply before it uses the slot again";
  EXPECT_EQ(status, nfs::NFS4ERR_SEQ_MISORDERED);
  table.finish(0, reply_of(8), true);
  EXPECT_EQ(begin(request(1)), Verdict::replay);
}

TEST_F(SlotTableTest, AnotherRequestUnderTheSameSequenceIsAFalseRetry) {
  run(1);
  EXPECT_EQ(begin(request(1, 0, 0, 8)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_SEQ_FALSE_RETRY);
  EXPECT_EQ(begin(request(1)), Verdict::replay) << "an error of SEQUENCE changes nothing";
}

TEST_F(SlotTableTest, SequenceWrapsToZero) {
  SlotTable one(1);
  ASSERT_EQ(one.begin(request(1)).verdict, Verdict::execute);
  one.finish(0, {}, true);
  const_cast<Slot&>(one.slot(0)).sequence = 0xffffffff;
  EXPECT_EQ(one.begin(request(0)).verdict, Verdict::execute);
  one.finish(0, {}, true);
  EXPECT_EQ(one.begin(request(0)).verdict, Verdict::replay);
  EXPECT_EQ(one.begin(request(1)).verdict, Verdict::execute);
}

TEST_F(SlotTableTest, SlotsAndHighestSlotAreBounded) {
  EXPECT_EQ(begin(request(1, 8)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_BADSLOT);
  EXPECT_EQ(begin(request(1, 0, 8)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_BAD_HIGH_SLOT);
  EXPECT_EQ(begin(request(1, 7, 7)), Verdict::execute);
}

TEST_F(SlotTableTest, ShrinksOnceTheClientHasShownThatItKnows) {
  run(1, 0, 7);
  run(1, 7, 7);
  table.set_target(1);
  EXPECT_EQ(table.highest_slot(), 7u);
  run(2, 0, 7);  // carries the new target back
  EXPECT_EQ(table.highest_slot(), 7u);
  run(3, 0, 5);  // the client knows it, but still has slot 5 in use
  EXPECT_EQ(table.highest_slot(), 7u);
  run(4, 0, 1);
  EXPECT_EQ(table.highest_slot(), 1u);
  EXPECT_EQ(begin(request(2, 7)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_BADSLOT);
}

TEST_F(SlotTableTest, AStubbornClientIsRefusedButItsRetriesAreAnswered) {
  run(1, 7, 7);
  table.set_target(3);
  table.enforce_target();
  EXPECT_EQ(begin(request(1, 0, 7)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_BAD_HIGH_SLOT);
  EXPECT_EQ(begin(request(2, 7)), Verdict::refuse);
  EXPECT_EQ(status, nfs::NFS4ERR_BADSLOT);
  EXPECT_EQ(begin(request(1, 7)), Verdict::replay);
}

TEST_F(SlotTableTest, ASlotGivenBackMayGoOnOrBeginAnew) {
  run(1, 7, 7);
  run(2, 7, 7);
  table.set_target(3);
  table.enforce_target();
  table.set_target(7);
  EXPECT_EQ(begin(request(3, 7, 7)), Verdict::execute);
  table.finish(7, {}, true);
  table.set_target(3);
  table.enforce_target();
  table.set_target(100);
  EXPECT_EQ(table.target_highest_slot(), 7u) << "no more than CREATE_SESSION granted";
  EXPECT_EQ(begin(request(1, 7, 7)), Verdict::execute);
  table.finish(7, {}, true);
  EXPECT_EQ(begin(request(1, 7, 7)), Verdict::replay);
  EXPECT_EQ(begin(request(3, 7, 7)), Verdict::refuse);
}

TEST_F(SlotTableTest, ARequestIsSeenWhenTheNextOneComes) {
  run(1, 2);
  EXPECT_FALSE(table.seen(2, 1));
  run(2, 2);
  EXPECT_TRUE(table.seen(2, 1));
  EXPECT_TRUE(table.seen(99, 1));
}

TEST_F(SlotTableTest, AnAbandonedRequestMayComeAgain) {
  ASSERT_EQ(begin(request(1)), Verdict::execute);
  table.abandon(0);
  EXPECT_EQ(table.busy_count(), 0u);
  run(1);
  ASSERT_EQ(begin(request(2)), Verdict::execute);
  table.abandon(0);
  EXPECT_EQ(begin(request(2)), Verdict::execute);
}

TEST_F(SlotTableTest, CacheMemoryIsCountedAndLargeBuffersAreNotKept) {
  ASSERT_EQ(begin(request(1)), Verdict::execute);
  table.finish(0, reply_of(8000), true);
  EXPECT_GE(table.cached_bytes(), 8000u);
  ASSERT_EQ(begin(request(2)), Verdict::execute);
  table.finish(0, reply_of(50), true);
  EXPECT_LT(table.cached_bytes(), 1000u);
}

}  // namespace
}  // namespace pnfs::session
