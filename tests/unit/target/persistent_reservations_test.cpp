#include "testbed/target/scsi/persistent_reservations.hpp"

#include <gtest/gtest.h>

namespace pnfs::target::scsi {
namespace {

using Verdict = PersistentReservations::Verdict;

struct PersistentReservationsTest : ::testing::Test {
  void join(const Nexus& nexus, uint64_t key) {
    ASSERT_EQ(pr.register_key(nexus, 0, key, false, false).verdict, Verdict::good);
  }
  Nexus mds{1, "iqn.a:mds", {1}};
  Nexus ds1{2, "iqn.a:ds1", {2}};
  Nexus ds2{3, "iqn.a:ds2", {3}};
  PersistentReservations pr;
};

TEST_F(PersistentReservationsTest, AWrongKeyIsAConflict) {
  join(ds1, 11);
  EXPECT_EQ(pr.register_key(ds1, 12, 13, false, false).verdict, Verdict::conflict);
  EXPECT_EQ(pr.reserve(ds1, 12, PrType::write_exclusive).verdict, Verdict::conflict);
  EXPECT_EQ(pr.reserve(ds2, 0, PrType::write_exclusive).verdict, Verdict::conflict);
  EXPECT_EQ(pr.register_key(ds2, 5, 6, false, false).verdict, Verdict::conflict);
}

TEST_F(PersistentReservationsTest, FencingTakesTheVictimsRegistrationAndNothingElse) {
  join(mds, 1);
  join(ds1, 11);
  join(ds2, 12);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::write_exclusive_registrants).verdict, Verdict::good);
  const uint32_t before = pr.generation();
  const auto outcome = pr.preempt(mds, 1, 11, PrType::write_exclusive_registrants, true);
  ASSERT_EQ(outcome.verdict, Verdict::good);
  ASSERT_EQ(outcome.effects.size(), 1u);
  EXPECT_EQ(outcome.effects[0].nexus, ds1.id);
  EXPECT_EQ(outcome.effects[0].attention, Asc::registrations_preempted);
  EXPECT_TRUE(outcome.effects[0].abort);
  EXPECT_FALSE(pr.registered(ds1.id));
  EXPECT_TRUE(pr.registered(ds2.id));
  EXPECT_TRUE(pr.holds(mds.id));
  EXPECT_EQ(pr.generation(), before + 1);
}

TEST_F(PersistentReservationsTest, PreemptingTheHolderTakesItsReservation) {
  join(mds, 1);
  join(ds1, 11);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::exclusive_access).verdict, Verdict::good);
  ASSERT_EQ(pr.preempt(ds1, 11, 1, PrType::write_exclusive, false).verdict, Verdict::good);
  EXPECT_TRUE(pr.holds(ds1.id));
  EXPECT_EQ(pr.type(), PrType::write_exclusive);
  EXPECT_FALSE(pr.registered(mds.id));
}

TEST_F(PersistentReservationsTest, PreemptingAKeyNobodyHasIsAConflict) {
  join(mds, 1);
  EXPECT_EQ(pr.preempt(mds, 1, 99, PrType::write_exclusive, false).verdict, Verdict::conflict);
  EXPECT_EQ(pr.preempt(mds, 1, 0, PrType::write_exclusive, false).verdict, Verdict::invalid_parameter);
}

TEST_F(PersistentReservationsTest, AllRegistrantsHoldUntilTheLastOneLeaves) {
  join(mds, 1);
  join(ds1, 11);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::write_exclusive_all).verdict, Verdict::good);
  EXPECT_TRUE(pr.holds(ds1.id));
  EXPECT_EQ(pr.holder_key(), 0u);
  ASSERT_EQ(pr.register_key(mds, 1, 0, false, false).verdict, Verdict::good);
  EXPECT_EQ(pr.type(), PrType::write_exclusive_all);
  ASSERT_EQ(pr.register_key(ds1, 11, 0, false, false).verdict, Verdict::good);
  EXPECT_EQ(pr.type(), PrType::none);
}

TEST_F(PersistentReservationsTest, TheHoldersDepartureFreesARegistrantsOnlyReservationAndTellsTheOthers) {
  join(mds, 1);
  join(ds1, 11);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::write_exclusive_registrants).verdict, Verdict::good);
  const auto outcome = pr.register_key(mds, 1, 0, false, false);
  ASSERT_EQ(outcome.effects.size(), 1u);
  EXPECT_EQ(outcome.effects[0].attention, Asc::reservations_released);
  EXPECT_EQ(pr.type(), PrType::none);
}

TEST_F(PersistentReservationsTest, ReleaseWithAnotherTypeIsRefused) {
  join(mds, 1);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::write_exclusive).verdict, Verdict::good);
  EXPECT_EQ(pr.release(mds, 1, PrType::exclusive_access).verdict, Verdict::invalid_release);
  EXPECT_EQ(pr.release(mds, 1, PrType::write_exclusive).verdict, Verdict::good);
  EXPECT_EQ(pr.type(), PrType::none);
}

TEST_F(PersistentReservationsTest, ClearLeavesNothing) {
  join(mds, 1);
  join(ds1, 11);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::write_exclusive).verdict, Verdict::good);
  const auto outcome = pr.clear(ds1, 11);
  EXPECT_EQ(outcome.effects.size(), 1u);
  EXPECT_TRUE(pr.registrants().empty());
  EXPECT_EQ(pr.type(), PrType::none);
}

TEST_F(PersistentReservationsTest, TheHolderCanMoveItsReservation) {
  join(mds, 1);
  ASSERT_EQ(pr.reserve(mds, 1, PrType::write_exclusive).verdict, Verdict::good);
  ASSERT_EQ(pr.register_and_move(mds, 1, 7, ds1, true, false).verdict, Verdict::good);
  EXPECT_TRUE(pr.holds(ds1.id));
  EXPECT_FALSE(pr.registered(mds.id));
}

}  // namespace
}  // namespace pnfs::target::scsi
