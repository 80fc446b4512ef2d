#include "ds/grants/grant_cache.hpp"

#include <gtest/gtest.h>

#include <array>

namespace pnfs::ds {
namespace {

using control::ByteRange;
using control::StripeSet;

constexpr uint64_t kBlock = 4096;

GrantNews whole(uint64_t id, Access access, ByteRange mapped, std::vector<volume::Extent> extents, uint64_t generation = 1) {
  return {.id = id,
          .generation = generation,
          .fileid = 7,
          .access = access,
          .set = StripeSet::whole({}),
          .mapped = mapped,
          .file_size = 0,
          .extents = std::move(extents)};
}

TEST(GrantCache, NothingHeldMeansAskForAll) {
  GrantCache cache;
  const auto coverage = cache.cover(7, Access::read, {0, 100});
  EXPECT_FALSE(coverage.complete);
  EXPECT_EQ(coverage.missing, (ByteRange{0, 100}));
  EXPECT_EQ(coverage.extend, 0u);
}

TEST(GrantCache, HolesReadAsHolesButCannotBeWritten) {
  GrantCache cache;
  ASSERT_TRUE(cache.arrived(whole(1, Access::write, {0, 4 * kBlock}, {{0, 1 << 20, kBlock}})));
  auto read = cache.cover(7, Access::read, {100, 2 * kBlock});
  ASSERT_TRUE(read.complete);
  ASSERT_EQ(read.ranges.size(), 2u);
  EXPECT_EQ(read.ranges[0].volume_offset, (1u << 20) + 100);
  EXPECT_TRUE(read.ranges[1].hole);
  cache.unpin(read.pin);
  const auto write = cache.cover(7, Access::write, {100, 2 * kBlock});
  EXPECT_FALSE(write.complete);
  EXPECT_EQ(write.missing.offset, kBlock);
  EXPECT_EQ(write.extend, 1u);
}

TEST(GrantCache, ASharedGrantDoesNotLetWrite) {
  GrantCache cache;
  ASSERT_TRUE(cache.arrived(whole(1, Access::read, {0, kBlock}, {{0, 1 << 20, kBlock}})));
  const auto write = cache.cover(7, Access::write, {0, 10});
  EXPECT_FALSE(write.complete);
  EXPECT_EQ(write.extend, 0u) << "a new grant, not an extension of the shared one";
}

TEST(GrantCache, BeyondWhatIsMappedTheGrantIsExtended) {
  GrantCache cache;
  ASSERT_TRUE(cache.arrived(whole(1, Access::read, {0, kBlock}, {})));
  auto more = cache.cover(7, Access::read, {0, 3 * kBlock});
  EXPECT_FALSE(more.complete);
  EXPECT_EQ(more.missing, (ByteRange{kBlock, 3 * kBlock}));
  EXPECT_EQ(more.extend, 1u);
  ASSERT_TRUE(cache.arrived(whole(1, Access::read, {kBlock, 3 * kBlock}, {{kBlock, 1 << 20, kBlock}}, 2)));
  more = cache.cover(7, Access::read, {0, 3 * kBlock});
  EXPECT_TRUE(more.complete);
  cache.unpin(more.pin);
}

TEST(GrantCache, ARevokeWaitsForTheIoUnderIt) {
  GrantCache cache;
  ASSERT_TRUE(cache.arrived(whole(1, Access::write, {0, kBlock}, {{0, 1 << 20, kBlock}})));
  const auto first = cache.cover(7, Access::write, {0, 10});
  const auto second = cache.cover(7, Access::write, {10, 20});
  EXPECT_FALSE(cache.revoke(1).has_value());
  EXPECT_FALSE(cache.cover(7, Access::write, {20, 30}).complete) << "none will start";
  cache.wrote_to(7, 1, std::array{first.pin, second.pin}, 20);
  EXPECT_TRUE(cache.unpin(first.pin).empty());
  const auto gone = cache.unpin(second.pin);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].id, 1u);
  EXPECT_EQ(gone[0].written_end, 20u);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(GrantCache, ARevokeThatOvertakesItsGrantWins) {
  GrantCache cache;
  cache.call_started();
  EXPECT_TRUE(cache.revoke(5).has_value());
  EXPECT_FALSE(cache.arrived(whole(5, Access::write, {0, kBlock}, {{0, 1 << 20, kBlock}})));
  EXPECT_FALSE(cache.cover(7, Access::read, {0, 1}).complete);
  cache.call_ended();
}

TEST(GrantCache, AnExtensionThatCrossesARevokeDoesNotReviveTheGrant) {
  GrantCache cache;
  ASSERT_TRUE(cache.arrived(whole(1, Access::write, {0, kBlock}, {{0, 1 << 20, kBlock}})));
  cache.call_started();
  EXPECT_TRUE(cache.revoke(1).has_value());
  EXPECT_FALSE(cache.arrived(whole(1, Access::write, {0, kBlock}, {{0, 1 << 20, kBlock}}, 2)));
  cache.call_ended();
  EXPECT_EQ(cache.size(), 0u);
}

TEST(GrantCache, WhatOneGrantBringsShowsUnderTheOthers) {
  GrantCache cache;
  // Shared and older: the block was a hole then.
  ASSERT_TRUE(cache.arrived(whole(1, Access::read, {0, kBlock}, {})));
  auto mine = whole(2, Access::write, {0, kBlock}, {{0, 1 << 20, kBlock}});
  mine.set.window = {0, kBlock};
  ASSERT_TRUE(cache.arrived(mine));
  auto read = cache.cover(7, Access::read, {0, kBlock});
  ASSERT_TRUE(read.complete);
  EXPECT_FALSE(read.ranges[0].hole) << "what was written must not read as the hole that it was";
  cache.unpin(read.pin);
  EXPECT_TRUE(cache.revoke(2).has_value());
  read = cache.cover(7, Access::read, {0, kBlock});
  ASSERT_TRUE(read.complete);
  EXPECT_FALSE(read.ranges[0].hole) << "also when the exclusive grant is gone";
  cache.unpin(read.pin);
  // With the last grant of the file all that was known of it goes.
  EXPECT_TRUE(cache.revoke(1).has_value());
  ASSERT_TRUE(cache.arrived(whole(3, Access::read, {0, kBlock}, {})));
  read = cache.cover(7, Access::read, {0, kBlock});
  EXPECT_TRUE(read.ranges[0].hole);
  cache.unpin(read.pin);
}

TEST(GrantCache, AnIoOverTwoGrantsPinsBoth) {
  GrantCache cache;
  auto low = whole(1, Access::read, {0, kBlock}, {});
  low.set.window = {0, kBlock};
  auto high = whole(2, Access::read, {kBlock, 2 * kBlock}, {});
  high.set.window = {kBlock, 2 * kBlock};
  ASSERT_TRUE(cache.arrived(low));
  ASSERT_TRUE(cache.arrived(high));
  const auto coverage = cache.cover(7, Access::read, {0, 2 * kBlock});
  ASSERT_TRUE(coverage.complete);
  EXPECT_EQ(coverage.pin.grants.size(), 2u);
  EXPECT_FALSE(cache.revoke(1).has_value());
  EXPECT_FALSE(cache.revoke(2).has_value());
  EXPECT_EQ(cache.unpin(coverage.pin).size(), 2u);
}

TEST(GrantCache, OtherServersStripesAreNotCovered) {
  GrantCache cache;
  auto news = whole(1, Access::read, {0, 16 * kBlock}, {});
  news.set = {.window = {}, .unit_bytes = kBlock, .count = 2, .indices = {0}};
  ASSERT_TRUE(cache.arrived(news));
  auto own = cache.cover(7, Access::read, {0, kBlock});
  EXPECT_TRUE(own.complete);
  cache.unpin(own.pin);
  EXPECT_FALSE(cache.cover(7, Access::read, {0, kBlock + 1}).complete);
}

TEST(GrantCache, LosingTheLeaseStopsEverything) {
  GrantCache cache;
  ASSERT_TRUE(cache.arrived(whole(1, Access::read, {0, kBlock}, {})));
  const auto running = cache.cover(7, Access::read, {0, 1});
  EXPECT_FALSE(cache.drop_all());
  EXPECT_FALSE(cache.cover(7, Access::read, {0, 1}).complete);
  cache.unpin(running.pin);
  EXPECT_TRUE(cache.idle());
  EXPECT_EQ(cache.size(), 0u);
}

TEST(GrantCache, GivesBackTheLeastRecentlyUsed) {
  GrantCache cache;
  for (uint64_t id = 1; id <= 3; ++id) {
    auto news = whole(id, Access::read, {0, kBlock}, {});
    news.fileid = id;
    ASSERT_TRUE(cache.arrived(news));
  }
  cache.unpin(cache.cover(1, Access::read, {0, 1}).pin);
  const auto surplus = cache.surplus(1);
  ASSERT_EQ(surplus.size(), 2u);
  EXPECT_EQ(surplus[0].id, 2u);
  EXPECT_EQ(surplus[1].id, 3u);
}

TEST(GrantCache, KnowsTheSizeFromTheServerAndFromItsOwnWrites) {
  GrantCache cache;
  auto news = whole(1, Access::write, {0, kBlock}, {{0, 1 << 20, kBlock}});
  news.file_size = 100;
  ASSERT_TRUE(cache.arrived(news));
  EXPECT_EQ(cache.known_size(7), 100u);
  const auto coverage = cache.cover(7, Access::write, {0, 500});
  const std::span<const GrantCache::Pin> pins(&coverage.pin, 1);
  cache.wrote_to(7, 1, pins, 50);
  EXPECT_EQ(cache.known_size(7), 100u);
  cache.wrote_to(7, 1, pins, 500);
  EXPECT_EQ(cache.known_size(7), 500u);
  EXPECT_EQ(cache.written_end(7), 500u);
  cache.unpin(coverage.pin);
}

// A grant with one block under `window`, held for a file of `size`; and a write that ends at `end`.
void hold(GrantCache& cache, uint64_t id, ByteRange window, uint64_t size) {
  auto news = whole(id, Access::write, {window.offset, window.offset + kBlock}, {{window.offset, (id + 1) << 20, kBlock}});
  news.set = StripeSet::whole(window);
  news.file_size = size;
  ASSERT_TRUE(cache.arrived(news));
}
void write(GrantCache& cache, uint64_t offset, uint64_t end) {
  const auto coverage = cache.cover(7, Access::write, {offset, end});
  ASSERT_TRUE(coverage.complete);
  cache.wrote_to(7, 1, std::span(&coverage.pin, 1), end);
  cache.unpin(coverage.pin);
}

TEST(GrantCache, OnlySizesThatTheMdsDoesNotHoldAreToBeTold) {
  GrantCache cache;
  hold(cache, 1, {}, 100);
  write(cache, 0, 100);
  EXPECT_FALSE(cache.untold(7));
  write(cache, 0, 101);
  const auto telling = cache.untold(7);
  ASSERT_TRUE(telling);
  EXPECT_EQ(telling->end, 101u);
  EXPECT_EQ(telling->generation, 1u);
  write(cache, 0, 200);  // while the call is under way
  cache.told(*telling);
  ASSERT_TRUE(cache.untold(7)) << "101 was told, not 200";
  cache.told(*cache.untold(7));
  EXPECT_FALSE(cache.untold(7));
  write(cache, 150, 200);
  EXPECT_FALSE(cache.untold(7));
  EXPECT_FALSE(cache.forget_untold());
}

TEST(GrantCache, WithItsGrantTheEndIsTheMdsOwnToKnow) {
  GrantCache cache;
  hold(cache, 1, {}, 0);
  write(cache, 0, 300);
  ASSERT_EQ(cache.revoke(1)->written_end, 300u);
  ASSERT_TRUE(cache.untold(7)) << "the MDS was told, but may not hold it durably";
  EXPECT_EQ(cache.untold(7)->end, 0u) << "the file may have been cut since";
  EXPECT_TRUE(cache.forget_untold());
  EXPECT_FALSE(cache.untold(7));
}

TEST(GrantCache, AnAnswerThatCrossedARevokeSaysNothingOfTheSize) {
  GrantCache cache;
  hold(cache, 1, {}, 0);
  write(cache, 0, 300);
  const auto telling = *cache.untold(7);
  ASSERT_TRUE(cache.revoke(1));  // for a truncation
  hold(cache, 2, {}, 0);
  cache.told(telling);
  write(cache, 0, 10);
  EXPECT_TRUE(cache.untold(7));
}

TEST(GrantCache, EachGrantGivesBackItsOwnEnd) {
  GrantCache cache;
  hold(cache, 1, {0, 1 << 20}, 0);
  hold(cache, 2, {1 << 20, 2 << 20}, 0);
  write(cache, 1 << 20, (1 << 20) + 10);
  write(cache, 0, 10);
  EXPECT_EQ(cache.revoke(2)->written_end, (1u << 20) + 10);
  EXPECT_EQ(cache.written_end(7), 10u) << "cut behind the first grant, the file does not grow again";
}

TEST(GrantCache, RefusesAGrantThatContradictsItself) {
  GrantCache cache;
  auto news = whole(1, Access::read, {0, kBlock}, {});
  news.set.indices.clear();
  EXPECT_FALSE(cache.arrived(news));
  EXPECT_FALSE(cache.arrived(whole(2, Access::read, {0, kBlock}, {{UINT64_MAX - 4095, 0, 2 * kBlock}})));
}

}  // namespace
}  // namespace pnfs::ds
