#include "mds/state/ranges.hpp"

#include <gtest/gtest.h>

#include "common/base/random.hpp"

namespace pnfs::mds::state {
namespace {

TEST(ByteRangeTest, FromWire) {
  EXPECT_EQ(ByteRange::from_wire(0, 0), std::nullopt);
  EXPECT_EQ(ByteRange::from_wire(5, 1), (ByteRange{5, 5}));
  EXPECT_EQ(ByteRange::from_wire(5, UINT64_MAX), (ByteRange{5, UINT64_MAX}));
  EXPECT_EQ(ByteRange::from_wire(UINT64_MAX, 1), (ByteRange{UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(ByteRange::from_wire(2, UINT64_MAX - 1), (ByteRange{2, UINT64_MAX}));
  EXPECT_EQ(ByteRange::from_wire(3, UINT64_MAX - 1), std::nullopt) << "the end would be beyond 2^64 - 1";
  EXPECT_EQ((ByteRange{0, 9}.wire_length()), 10u);
  EXPECT_EQ((ByteRange{7, UINT64_MAX}.wire_length()), UINT64_MAX);
}

TEST(RangeSetTest, UnlockInTheMiddleSplits) {
  RangeSet set;
  set.lock({0, 99}, true);
  set.unlock({40, 59});
  EXPECT_EQ(set.held(), (std::vector<HeldRange>{{{0, 39}, true}, {{60, 99}, true}}));
}

TEST(RangeSetTest, TouchingRangesOfOneModeMerge) {
  RangeSet set;
  set.lock({0, 9}, false);
  set.lock({20, 29}, false);
  set.lock({10, 19}, false);
  EXPECT_EQ(set.held(), (std::vector<HeldRange>{{{0, 29}, false}}));
  set.lock({10, 19}, true);
  EXPECT_EQ(set.held().size(), 3u);
}

// Against a byte map: the plainest model there is.
TEST(RangeSetTest, AgreesWithAByteMap) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    RangeSet set;
    std::array<int, 64> model{};  // 0 free, 1 shared, 2 exclusive
    for (int step = 0; step < 40; ++step) {
      const uint64_t a = random.below(64), b = random.below(64);
      const ByteRange range{std::min(a, b), std::max(a, b)};
      const uint64_t action = random.below(3);
      if (action == 0) {
        set.unlock(range);
      } else {
        set.lock(range, action == 2);
      }
      for (uint64_t i = range.begin; i <= range.last; ++i) model[i] = static_cast<int>(action);
      std::array<int, 64> seen{};
      for (size_t i = 0; i < set.held().size(); ++i) {
        const HeldRange& h = set.held()[i];
        if (i > 0) {
          const HeldRange& before = set.held()[i - 1];
          ASSERT_LT(before.range.last, h.range.begin);
          ASSERT_FALSE(before.range.last + 1 == h.range.begin && before.exclusive == h.exclusive) << "not merged";
        }
        for (uint64_t at = h.range.begin; at <= h.range.last; ++at) seen[at] = h.exclusive ? 2 : 1;
      }
      ASSERT_EQ(seen, model) << "round " << round << " step " << step;
    }
  }
}

}  // namespace
}  // namespace pnfs::mds::state
