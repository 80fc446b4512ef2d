#include "mds/grants/grant_table.hpp"

#include <gtest/gtest.h>

namespace pnfs::mds {
namespace {

using control::ByteRange;
using control::StripeSet;

StripeSet stripe(uint32_t index, uint32_t count = 2) {
  return {.window = {}, .unit_bytes = 65536, .count = count, .indices = {index}};
}

TEST(GrantTable, ExclusiveGrantsOfTwoStripesLiveSideBySide) {
  GrantTable table;
  EXPECT_TRUE(table.request(1, 7, GrantMode::ex, stripe(0)));
  EXPECT_TRUE(table.request(2, 7, GrantMode::ex, stripe(1)));
  EXPECT_EQ(table.size(), 2u);
}

TEST(GrantTable, ReadersShareAndAWriterMakesThemGo) {
  GrantTable table;
  const auto whole = StripeSet::whole({});
  const uint64_t a = table.request(1, 7, GrantMode::pr, whole).granted->id;
  const uint64_t b = table.request(2, 7, GrantMode::pr, whole).granted->id;
  auto answer = table.request(3, 7, GrantMode::ex, whole);
  EXPECT_FALSE(answer);
  ASSERT_EQ(answer.revoke.size(), 2u);
  EXPECT_TRUE(table.request(3, 7, GrantMode::ex, whole).revoke.empty()) << "a revoke under way is not repeated";
  EXPECT_TRUE(table.gone(1, a));
  EXPECT_FALSE(table.request(3, 7, GrantMode::ex, whole));
  EXPECT_TRUE(table.gone(2, b));
  EXPECT_TRUE(table.request(3, 7, GrantMode::ex, whole));
}

TEST(GrantTable, AnotherFileIsNoConcern) {
  GrantTable table;
  EXPECT_TRUE(table.request(1, 7, GrantMode::ex, StripeSet::whole({})));
  EXPECT_TRUE(table.request(2, 8, GrantMode::ex, StripeSet::whole({})));
}

TEST(GrantTable, AskingAgainRaisesTheGenerationAndUpgradesInPlace) {
  GrantTable table;
  const Grant first = *table.request(1, 7, GrantMode::pr, stripe(0)).granted;
  const Grant second = *table.request(1, 7, GrantMode::ex, stripe(0)).granted;
  EXPECT_EQ(first.id, second.id);
  EXPECT_GT(second.generation, first.generation);
  EXPECT_EQ(second.mode, GrantMode::ex);
}

TEST(GrantTable, AGrantOnItsWayOutIsNotExtended) {
  GrantTable table;
  const uint64_t id = table.request(1, 7, GrantMode::ex, StripeSet::whole({})).granted->id;
  ASSERT_NE(table.extendable(1, 7, id), nullptr);
  EXPECT_EQ(table.extendable(2, 7, id), nullptr) << "another node's grant";
  EXPECT_EQ(table.extendable(1, 8, id), nullptr) << "another file";
  EXPECT_FALSE(table.request(2, 7, GrantMode::pr, StripeSet::whole({}))) << "now it is on its way out";
  EXPECT_EQ(table.extendable(1, 7, id), nullptr);
  const auto again = table.request(1, 7, GrantMode::ex, StripeSet::whole({}));
  EXPECT_TRUE(!again || again.granted->id != id) << "a revoked id never comes back";
}

TEST(GrantTable, TheServersOwnIoIsInTheWayButNobodyIsSentARevoke) {
  GrantTable table;
  const uint64_t own = table.request(kMdsNode, 7, GrantMode::ex, StripeSet::whole({0, 4096})).granted->id;
  auto answer = table.request(1, 7, GrantMode::pr, StripeSet::whole({}));
  EXPECT_FALSE(answer);
  EXPECT_TRUE(answer.revoke.empty());
  table.gone(kMdsNode, own);
  EXPECT_TRUE(table.request(1, 7, GrantMode::pr, StripeSet::whole({})));
}

TEST(GrantTable, AFencedNodeStaysInTheWayUntilItsQuarantineEnds) {
  GrantTable table;
  table.request(1, 7, GrantMode::ex, StripeSet::whole({}));
  table.quarantine_node(1);
  auto answer = table.request(2, 7, GrantMode::pr, StripeSet::whole({}));
  EXPECT_FALSE(answer);
  EXPECT_TRUE(answer.revoke.empty()) << "nobody is there to answer";
  EXPECT_FALSE(table.request(1, 7, GrantMode::pr, StripeSet::whole({}))) << "not even for the node itself, come back";
  table.forget_node(1);
  EXPECT_TRUE(table.request(2, 7, GrantMode::pr, StripeSet::whole({})));
}

TEST(GrantTable, AfterARestartNothingConflictingUntilEveryNodeIsKnown) {
  GrantTable table;
  table.set_unknown(1);
  EXPECT_TRUE(table.request(2, 7, GrantMode::pr, StripeSet::whole({})).blocked_by_unknown);
  table.clear_unknown(1);
  EXPECT_TRUE(table.request(2, 7, GrantMode::pr, StripeSet::whole({})));
}

}  // namespace
}  // namespace pnfs::mds
