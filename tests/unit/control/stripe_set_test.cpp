#include "common/control/stripe_set.hpp"

#include <gtest/gtest.h>

#include "common/base/random.hpp"

namespace pnfs::control {
namespace {

StripeSet striped(uint64_t unit, uint32_t count, std::vector<uint32_t> indices, ByteRange window = {}) {
  return {.window = window, .unit_bytes = unit, .count = count, .indices = std::move(indices)};
}

TEST(StripeSet, RangeOfSaturates) {
  EXPECT_EQ(range_of(10, 5), (ByteRange{10, 15}));
  EXPECT_EQ(range_of(10, UINT64_MAX), (ByteRange{10, kToEnd}));
  EXPECT_EQ(range_of(UINT64_MAX - 2, 10), (ByteRange{UINT64_MAX - 2, kToEnd}));
}

TEST(StripeSet, TwoServersOfOneFileNeverIntersect) {
  const auto a = striped(65536, 2, {0});
  const auto b = striped(65536, 2, {1});
  EXPECT_FALSE(a.intersects(b));
  EXPECT_TRUE(a.intersects(a));
  EXPECT_TRUE(a.contains({0, 65536}));
  EXPECT_FALSE(a.contains({0, 65537}));
  EXPECT_TRUE(b.contains({65536, 131072}));
}

TEST(StripeSet, DifferentPatternsAreComparedByTheirWindows) {
  const auto a = striped(65536, 2, {0}, {0, 1 << 20});
  const auto b = striped(4096, 2, {1}, {1 << 20, 2 << 20});
  const auto c = striped(4096, 2, {1}, {0, 1 << 20});
  EXPECT_FALSE(a.intersects(b));
  EXPECT_TRUE(a.intersects(c));
}

TEST(StripeSet, AWholeRangeMeetsOnlyTheStripesInIt) {
  const auto a = striped(65536, 2, {0});
  EXPECT_FALSE(a.intersects(StripeSet::whole({65536, 131072})));
  EXPECT_TRUE(a.intersects(StripeSet::whole({65535, 131072})));
  EXPECT_FALSE(StripeSet::whole({65536, 131072}).intersects(a));
}

TEST(StripeSet, FirstIndexAndPatternOffsetShiftThePattern) {
  auto a = striped(4096, 3, {0});
  a.first_index = 1;
  a.pattern_offset = 4096;
  EXPECT_EQ(a.index_of(4096), 1u);
  EXPECT_EQ(a.index_of(8192), 2u);
  EXPECT_EQ(a.index_of(12288), 0u);
}

TEST(StripeSet, RefusesWhatABrokenPeerMaySend) {
  EXPECT_FALSE(striped(0, 2, {0}).valid());
  EXPECT_FALSE(striped(4096, 0, {0}).valid());
  EXPECT_FALSE(striped(4096, 2, {2}).valid());
  EXPECT_FALSE(striped(4096, 2, {1, 0}).valid());
  EXPECT_FALSE(striped(4096, 2, {}).valid());
  EXPECT_TRUE(striped(4096, 2, {0, 1}).valid());
}

// contains, touches and for_each_run against the definition, byte by byte, on small random sets.
TEST(StripeSet, AgreesWithTheDefinitionByteByByte) {
  SeededRandom random(7);
  for (int round = 0; round < 500; ++round) {
    StripeSet set;
    set.count = 1 + static_cast<uint32_t>(random.below(5));
    set.unit_bytes = 1 + random.below(7);
    set.pattern_offset = random.below(5);
    set.first_index = static_cast<uint32_t>(random.below(set.count));
    set.indices.clear();
    for (uint32_t i = 0; i < set.count; ++i)
      if (random.chance(1, 2)) set.indices.push_back(i);
    if (set.indices.empty()) set.indices.push_back(0);
    set.window = {random.below(10), 10 + random.below(60)};
    ASSERT_TRUE(set.valid());
    const ByteRange range{random.below(40), 1 + random.below(80)};
    auto in_set = [&](uint64_t b) { return b >= set.window.offset && b < set.window.end && set.has_index(set.index_of(b)); };
    bool all = true, any = false;
    std::vector<bool> expected(200), seen(200);
    for (uint64_t b = range.offset; b < range.end; ++b) {
      all = all && in_set(b);
      any = any || in_set(b);
      expected[b] = in_set(b);
    }
    uint64_t last_end = 0;
    set.for_each_run(range, [&](ByteRange run) {
      ASSERT_FALSE(run.empty());
      ASSERT_TRUE(last_end == 0 || run.offset > last_end) << "runs are maximal";
      last_end = run.end;
      for (uint64_t b = run.offset; b < run.end; ++b) seen[b] = true;
    });
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(set.contains(range), all) << to_string(set) << " " << to_string(range);
    EXPECT_EQ(set.touches(range), any) << to_string(set) << " " << to_string(range);
  }
}

}  // namespace
}  // namespace pnfs::control
