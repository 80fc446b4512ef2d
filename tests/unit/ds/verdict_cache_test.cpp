#include "ds/grants/verdict_cache.hpp"

#include <gtest/gtest.h>

#include "ds/grants/dense.hpp"

namespace pnfs::ds {
namespace {

const Other kOne{std::byte{1}};
const Other kTwo{std::byte{2}};
const Other kAny{};

VerdictCache::Key key(const Other& other = kOne) {
  return {1, other, "fh"};
}

TEST(VerdictCache, KeepsWhatWasSaidAndAsksForMoreAccess) {
  VerdictCache cache;
  EXPECT_EQ(cache.find(key(), 1), nullptr);
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 1}));
  EXPECT_NE(cache.find(key(), 1), nullptr);
  EXPECT_EQ(cache.find(key(), 2), nullptr) << "an open may have been upgraded: ask";
  EXPECT_EQ(cache.find({2, kOne, "fh"}, 1), nullptr) << "another client's";
  EXPECT_EQ(cache.find({1, kOne, "gh"}, 1), nullptr) << "another file's";
}

TEST(Verdict, CoversWhatTheLayoutHasForThatAccess) {
  Verdict verdict;
  verdict.readable = {{0, 100}, {200, 300}};
  verdict.writable = {{200, 300}};
  EXPECT_TRUE(verdict.covers(1, {0, 100}));
  EXPECT_FALSE(verdict.covers(1, {50, 250})) << "between the pieces";
  EXPECT_TRUE(verdict.covers(2, {200, 201}));
  EXPECT_FALSE(verdict.covers(2, {0, 1})) << "for READ only";
  EXPECT_TRUE(verdict.covers(2, {7, 7})) << "nothing";
}

TEST(VerdictCache, ARevokeWhileAskingWins) {
  VerdictCache cache;
  const auto ticket = cache.asking();
  cache.revoke(7, kOne);
  EXPECT_FALSE(cache.arrived(key(), ticket, {.fileid = 7, .access = 3}));
  EXPECT_EQ(cache.find(key(), 1), nullptr);
}

TEST(VerdictCache, ARevokeIsSettledWhenItsIoIsDone) {
  VerdictCache cache;
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 3}));
  const uint64_t pin = cache.pin(key());
  cache.revoke(7, kOne);
  EXPECT_EQ(cache.find(key(), 1), nullptr) << "none will start";
  EXPECT_FALSE(cache.settled(7, kOne));
  EXPECT_TRUE(cache.settled(7, kTwo));
  EXPECT_TRUE(cache.settled(8, kAny));
  // A new verdict on the same key does not hide the old I/O.
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 1}));
  EXPECT_FALSE(cache.settled(7, kAny));
  EXPECT_TRUE(cache.unpin(key(), pin));
  EXPECT_TRUE(cache.settled(0, kAny));
  EXPECT_NE(cache.find(key(), 1), nullptr);
}

TEST(VerdictCache, IoUnderANewVerdictDoesNotEndTheOldOnes) {
  VerdictCache cache;
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 3}));
  const uint64_t old = cache.pin(key());
  cache.revoke(7, kOne);
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 1}));
  const uint64_t fresh = cache.pin(key());
  EXPECT_FALSE(cache.unpin(key(), fresh));
  EXPECT_FALSE(cache.settled(7, kOne)) << "the write under the revoked verdict is still on its way";
  EXPECT_TRUE(cache.unpin(key(), old));
  EXPECT_TRUE(cache.settled(7, kOne));
}

TEST(VerdictCache, ATwiceRevokedVerdictIsSettledWhenBothIosAre) {
  VerdictCache cache;
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 3}));
  const uint64_t first = cache.pin(key());
  cache.revoke(7, kOne);
  ASSERT_TRUE(cache.arrived(key(), cache.asking(), {.fileid = 7, .access = 3}));
  const uint64_t second = cache.pin(key());
  cache.drop_client(1);
  EXPECT_TRUE(cache.unpin(key(), second));
  EXPECT_FALSE(cache.settled(7, kAny));
  EXPECT_TRUE(cache.unpin(key(), first));
  EXPECT_TRUE(cache.settled(7, kAny));
}

TEST(VerdictCache, RevokesByFileAndAltogether) {
  VerdictCache cache;
  ASSERT_TRUE(cache.arrived(key(kOne), cache.asking(), {.fileid = 7, .access = 1}));
  ASSERT_TRUE(cache.arrived(key(kTwo), cache.asking(), {.fileid = 7, .access = 1}));
  ASSERT_TRUE(cache.arrived({1, kOne, "other"}, cache.asking(), {.fileid = 8, .access = 1}));
  cache.revoke(7, kAny);
  EXPECT_EQ(cache.size(), 1u);
  cache.revoke(0, kAny);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(Dense, MapsBackToTheFile) {
  const control::StripeSet set{.window = {}, .unit_bytes = 4096, .count = 3, .indices = {1}};
  EXPECT_EQ(dense_to_file(set, 1, 0, 4096), (std::vector<control::ByteRange>{{4096, 8192}}));
  EXPECT_EQ(dense_to_file(set, 1, 4000, 4200),
            (std::vector<control::ByteRange>{{8096, 8192}, {16384, 16488}}));
}

TEST(Dense, EveryByteLandsOnItsStripeIndex) {
  control::StripeSet set{.window = {}, .unit_bytes = 4096, .count = 4, .pattern_offset = 8192, .first_index = 3};
  for (uint32_t index = 0; index < 4; ++index) {
    for (const auto& range : dense_to_file(set, index, 100, 50'000)) {
      EXPECT_EQ(set.index_of(range.offset), index);
      EXPECT_EQ(set.index_of(range.end - 1), index);
    }
  }
}

TEST(Dense, StopsBeforeOffsetsWrap) {
  const control::StripeSet set{.window = {}, .unit_bytes = 1u << 30, .count = 4096, .indices = {0}};
  EXPECT_TRUE(dense_to_file(set, 0, UINT64_MAX - 10, UINT64_MAX).empty());
}

}  // namespace
}  // namespace pnfs::ds
