#include "mds/state/state_table.hpp"

#include <gtest/gtest.h>

namespace pnfs::mds::state {
namespace {

using namespace nfs;

constexpr clientid4 kAnn = 1, kBob = 2;
constexpr FileId kFile = 100;

struct StateTableTest : ::testing::Test {
  StateTable table{7};

  stateid4 open(clientid4 client, uint32_t access, uint32_t deny = 0, std::string_view owner = "o",
                FileId file = kFile) {
    stateid4 out;
    const Status status = table.open({client, owner, file, access, deny}, out);
    EXPECT_TRUE(status.ok()) << status.reason;
    return out;
  }
  nfsstat4 try_open(clientid4 client, uint32_t access, uint32_t deny) {
    stateid4 out;
    return table.open({client, "o", kFile, access, deny}, out).status;
  }
  nfsstat4 lock(clientid4 client, stateid4 stateid, std::optional<std::string_view> owner, uint64_t begin,
                uint64_t last, bool exclusive, stateid4* out = nullptr) {
    stateid4 result;
    StateTable::LockDenied denied;
    const auto status = table.lock({client, kFile, stateid, owner, {begin, last}, exclusive}, result, denied);
    if (out != nullptr && status.ok()) *out = result;
    return status.status;
  }
};

TEST_F(StateTableTest, ShareReservationsConflictBothWays) {
  open(kAnn, kShareRead, kShareWrite);
  EXPECT_EQ(try_open(kBob, kShareWrite, 0), NFS4ERR_SHARE_DENIED);
  EXPECT_EQ(try_open(kBob, kShareRead, kShareRead), NFS4ERR_SHARE_DENIED);
  EXPECT_EQ(try_open(kBob, kShareRead, kShareWrite), NFS4_OK);
  EXPECT_EQ(table.share_conflicts({kBob, "o", kFile, kShareWrite, 0}), std::vector<clientid4>{kAnn});
}

TEST_F(StateTableTest, SecondOpenByTheSameOwnerUpgradesOneStateid) {
  const stateid4 first = open(kAnn, kShareRead);
  const stateid4 second = open(kAnn, kShareWrite);
  EXPECT_EQ(first.other, second.other);
  EXPECT_EQ(second.seqid, 2u);
  EXPECT_EQ(table.check_io(kAnn, kFile, second, kShareWrite).status, NFS4_OK);
  EXPECT_EQ(table.check_io(kAnn, kFile, first, kShareWrite).status, NFS4ERR_OLD_STATEID);
  stateid4 future = second;
  future.seqid = 3;
  EXPECT_EQ(table.check_io(kAnn, kFile, future, kShareWrite).status, NFS4ERR_BAD_STATEID);
  future.seqid = 0;
  EXPECT_EQ(table.check_io(kAnn, kFile, future, kShareWrite).status, NFS4_OK);
}

TEST_F(StateTableTest, StateidsOfOthersAreBad) {
  const stateid4 mine = open(kAnn, kShareRead);
  EXPECT_EQ(table.check_io(kBob, kFile, mine, kShareRead).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(table.check_io(kAnn, kFile + 1, mine, kShareRead).status, NFS4ERR_BAD_STATEID);
  StateTable restarted(8);
  EXPECT_EQ(restarted.check_io(kAnn, kFile, mine, kShareRead).status, NFS4ERR_BAD_STATEID);
  stateid4 odd;
  odd.seqid = 5;
  EXPECT_EQ(table.check_io(kAnn, kFile, odd, kShareRead).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(table.check_io(kAnn, kFile, invalid_stateid(), kShareRead).status, NFS4ERR_BAD_STATEID);
}

TEST_F(StateTableTest, AccessModesBindIo) {
  const stateid4 reader = open(kAnn, kShareRead);
  EXPECT_EQ(table.check_io(kAnn, kFile, reader, kShareWrite).status, NFS4ERR_OPENMODE);
  const stateid4 writer = open(kBob, kShareWrite);
  EXPECT_EQ(table.check_io(kBob, kFile, writer, kShareRead).status, NFS4_OK);
}

TEST_F(StateTableTest, SpecialStateidsMeetDenials) {
  EXPECT_EQ(table.check_io(kBob, kFile, anonymous_stateid(), kShareWrite).status, NFS4_OK);
  open(kAnn, kShareRead, kShareBoth);
  EXPECT_EQ(table.check_io(kBob, kFile, anonymous_stateid(), kShareWrite).status, NFS4ERR_LOCKED);
  EXPECT_EQ(table.check_io(kBob, kFile, anonymous_stateid(), kShareRead).status, NFS4ERR_LOCKED);
  stateid4 bypass;
  bypass.seqid = NFS4_UINT32_MAX;
  bypass.other.bytes.fill(std::byte{0xff});
  EXPECT_EQ(table.check_io(kBob, kFile, bypass, kShareRead).status, NFS4_OK);
  EXPECT_EQ(table.check_io(kBob, kFile, bypass, kShareWrite).status, NFS4ERR_LOCKED);
}

TEST_F(StateTableTest, DowngradeOnlyToAUnionOfOpens) {
  open(kAnn, kShareRead);
  const stateid4 both = open(kAnn, kShareBoth);
  stateid4 out;
  EXPECT_EQ(table.downgrade(kAnn, kFile, both, kShareWrite, 0, out).status, NFS4ERR_INVAL);
  EXPECT_EQ(table.downgrade(kAnn, kFile, both, 0, 0, out).status, NFS4ERR_INVAL);
  EXPECT_EQ(table.downgrade(kAnn, kFile, both, kShareRead, kShareRead, out).status, NFS4ERR_INVAL);
  ASSERT_EQ(table.downgrade(kAnn, kFile, both, kShareRead, 0, out).status, NFS4_OK);
  EXPECT_EQ(out.seqid, both.seqid + 1);
  EXPECT_EQ(table.check_io(kAnn, kFile, out, kShareWrite).status, NFS4ERR_OPENMODE);
  EXPECT_EQ(table.downgrade(kAnn, kFile, out, kShareBoth, 0, out).status, NFS4ERR_INVAL) << "no way back up";
}

TEST_F(StateTableTest, CloseForgetsTheOpenAndItsLocks) {
  const stateid4 stateid = open(kAnn, kShareBoth);
  stateid4 held;
  ASSERT_EQ(lock(kAnn, stateid, "l", 0, 9, true, &held), NFS4_OK);
  EXPECT_EQ(table.close(kAnn, kFile, held).status, NFS4ERR_BAD_STATEID);
  EXPECT_TRUE(table.is_open(kFile));
  EXPECT_EQ(table.close(kAnn, kFile, stateid).status, NFS4_OK);
  EXPECT_FALSE(table.is_open(kFile));
  EXPECT_FALSE(table.has_state(kAnn));
  EXPECT_EQ(table.close(kAnn, kFile, stateid).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(table.file(kFile), nullptr);
}

TEST_F(StateTableTest, LocksConflictBetweenOwners) {
  const stateid4 ann = open(kAnn, kShareBoth), bob = open(kBob, kShareBoth);
  stateid4 held;
  ASSERT_EQ(lock(kAnn, ann, "l", 0, 9, true, &held), NFS4_OK);
  EXPECT_EQ(held.seqid, 1u);
  EXPECT_EQ(lock(kBob, bob, "l", 9, 20, false), NFS4ERR_DENIED);
  EXPECT_EQ(lock(kAnn, ann, "other", 9, 20, false), NFS4ERR_DENIED) << "owners of one client conflict too";
  EXPECT_EQ(lock(kBob, bob, "l", 10, 20, true), NFS4_OK);
  EXPECT_EQ(lock(kAnn, held, std::nullopt, 0, 4, false, &held), NFS4_OK);
  EXPECT_EQ(held.seqid, 2u);
  stateid4 out;
  ASSERT_EQ(table.unlock(kAnn, kFile, held, {0, UINT64_MAX}, out).status, NFS4_OK);
  StateTable::LockDenied denied;
  EXPECT_EQ(table.test_lock(kAnn, "x", kFile, {0, 9}, true, denied).status, NFS4_OK);
  EXPECT_EQ(table.test_lock(kAnn, "x", kFile, {0, 10}, true, denied).status, NFS4ERR_DENIED);
  EXPECT_EQ(denied.client, kBob);
  EXPECT_EQ(denied.range, (ByteRange{10, 20}));
}

TEST_F(StateTableTest, LockNeedsAnOpenOfTheRightMode) {
  const stateid4 reader = open(kAnn, kShareRead), writer = open(kBob, kShareWrite);
  EXPECT_EQ(lock(kAnn, reader, "l", 0, 9, true), NFS4ERR_OPENMODE);
  EXPECT_EQ(lock(kBob, writer, "l", 0, 9, false), NFS4ERR_OPENMODE);
}

TEST_F(StateTableTest, FreeAndTestStateid) {
  const stateid4 stateid = open(kAnn, kShareBoth);
  stateid4 held;
  ASSERT_EQ(lock(kAnn, stateid, "l", 0, 9, true, &held), NFS4_OK);
  EXPECT_EQ(table.test(kAnn, held).status, NFS4_OK);
  EXPECT_EQ(table.test(kBob, held).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(table.free(kAnn, stateid).status, NFS4ERR_LOCKS_HELD);
  EXPECT_EQ(table.free(kAnn, held).status, NFS4ERR_LOCKS_HELD);
  stateid4 out;
  ASSERT_TRUE(table.unlock(kAnn, kFile, held, {0, 9}, out).ok());
  EXPECT_EQ(table.free(kAnn, out).status, NFS4_OK);
  EXPECT_EQ(table.free(kAnn, out).status, NFS4ERR_BAD_STATEID);
}

TEST_F(StateTableTest, WaitersAreHintedInOrderWhenTheLockGoes) {
  const stateid4 ann = open(kAnn, kShareBoth);
  stateid4 held, out;
  ASSERT_EQ(lock(kAnn, ann, "l", 0, 9, true, &held), NFS4_OK);
  table.wait_for_lock(kFile, {kBob, "b", {0, 4}, true, TimePoint(Duration(100))});
  table.wait_for_lock(kFile, {3, "c", {5, 9}, true, TimePoint(Duration(10))});
  EXPECT_TRUE(table.take_lock_hints(kFile, TimePoint(Duration(5)), Duration(20)).empty());
  ASSERT_TRUE(table.unlock(kAnn, kFile, held, {0, 9}, out).ok());
  const auto hints = table.take_lock_hints(kFile, TimePoint(Duration(50)), Duration(20));
  ASSERT_EQ(hints.size(), 1u) << "the second had stopped waiting";
  EXPECT_EQ(hints[0].client, kBob);
}

TEST_F(StateTableTest, WaitersHaveTheirTurnOneAfterTheOther) {
  constexpr clientid4 kCat = 3, kDan = 4;
  const auto at = [](int64_t time) { return TimePoint(Duration(time)); };
  const auto told = [&](int64_t time) {
    std::vector<clientid4> clients;
    for (const auto& hint : table.take_lock_hints(kFile, at(time), Duration(20))) clients.push_back(hint.client);
    return clients;
  };
  const auto try_lock = [&](clientid4 client, stateid4 from, std::string_view owner, bool exclusive, int64_t time) {
    stateid4 out;
    StateTable::LockDenied denied;
    return table.lock({client, kFile, from, owner, {0, 9}, exclusive, at(time)}, out, denied).status;
  };
  const stateid4 ann = open(kAnn, kShareBoth), bob = open(kBob, kShareBoth), cat = open(kCat, kShareBoth),
                 dan = open(kDan, kShareBoth);
  stateid4 held, out;
  ASSERT_EQ(lock(kAnn, ann, "a", 0, 9, true, &held), NFS4_OK);
  table.wait_for_lock(kFile, {kBob, "b", {0, 9}, true, at(1000)});
  table.wait_for_lock(kFile, {kCat, "c", {5, 9}, false, at(1000)});
  ASSERT_TRUE(table.unlock(kAnn, kFile, held, {0, 9}, out).ok());
  EXPECT_EQ(told(100), std::vector<clientid4>{kBob}) << "who has waited longest";
  EXPECT_EQ(told(110), std::vector<clientid4>{}) << "once";
  EXPECT_EQ(try_lock(kDan, dan, "d", true, 110), NFS4ERR_DENIED) << "nobody jumps the queue";
  EXPECT_EQ(try_lock(kCat, cat, "c", false, 110), NFS4ERR_DENIED);
  EXPECT_EQ(told(121), std::vector<clientid4>{kCat}) << "Bob let his turn pass";
  EXPECT_EQ(try_lock(kDan, dan, "d", false, 122), NFS4_OK) << "readers do not exclude each other";
  EXPECT_EQ(try_lock(kCat, cat, "c", false, 122), NFS4_OK);
  EXPECT_EQ(try_lock(kBob, bob, "b", true, 123), NFS4ERR_DENIED);
  EXPECT_EQ(told(200), std::vector<clientid4>{}) << "nobody waits";
}

TEST_F(StateTableTest, DelegationsAreRecalledAndRevoked) {
  EXPECT_TRUE(table.may_delegate(kAnn, kFile, true));
  const stateid4 deleg = table.delegate(kAnn, kFile, true);
  EXPECT_FALSE(table.may_delegate(kBob, kFile, false));
  EXPECT_FALSE(table.recall_conflicts(kAnn, kFile, true, TimePoint(Duration(5))).any());
  auto conflicts = table.recall_conflicts(kBob, kFile, false, TimePoint(Duration(5)));
  EXPECT_EQ(conflicts.fresh.size(), 1u);
  conflicts = table.recall_conflicts(kBob, kFile, true, TimePoint(Duration(6)));
  EXPECT_EQ(conflicts.fresh.size(), 0u) << "one recall is enough";
  EXPECT_EQ(conflicts.pending, 1u);
  EXPECT_TRUE(table.overdue(TimePoint(Duration(4))).empty());
  ASSERT_EQ(table.overdue(TimePoint(Duration(5))).size(), 1u);
  table.revoke_delegation(deleg);
  EXPECT_FALSE(table.recall_conflicts(kBob, kFile, true, TimePoint(Duration(7))).any());
  EXPECT_TRUE(table.has_revoked(kAnn));
  EXPECT_EQ(table.test(kAnn, deleg).status, NFS4ERR_DELEG_REVOKED);
  EXPECT_EQ(table.return_delegation(kAnn, kFile, deleg).status, NFS4ERR_DELEG_REVOKED);
  EXPECT_EQ(table.free(kAnn, deleg).status, NFS4_OK);
  EXPECT_FALSE(table.has_revoked(kAnn));
  EXPECT_FALSE(table.has_state(kAnn));
}

TEST_F(StateTableTest, DroppingAClientFreesEverything) {
  const stateid4 stateid = open(kAnn, kShareBoth, kShareBoth);
  open(kAnn, kShareRead, 0, "second", kFile + 1);
  open(kBob, kShareRead, 0, "o", kFile + 1);
  ASSERT_EQ(lock(kAnn, stateid, "l", 0, 9, true), NFS4_OK);
  table.delegate(kAnn, kFile + 2, false);
  EXPECT_EQ(table.drop_client(kAnn), (std::vector<FileId>{kFile, kFile + 2}));
  EXPECT_FALSE(table.has_state(kAnn));
  EXPECT_EQ(try_open(kBob, kShareBoth, kShareBoth), NFS4_OK);
  EXPECT_EQ(table.counts().locks, 0u);
}

TEST(StateidTest, SeqidsWrapAroundZero) {
  EXPECT_EQ(next_seqid(NFS4_UINT32_MAX), 1u);
  EXPECT_EQ(compare_seqid(NFS4_UINT32_MAX, 1), SeqidOrder::old);
  EXPECT_EQ(compare_seqid(2, 1), SeqidOrder::future);
  EXPECT_EQ(compare_seqid(0, 17), SeqidOrder::current);
}

}  // namespace
}  // namespace pnfs::mds::state
