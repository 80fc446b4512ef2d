#include "common/base/random.hpp"

#include <gtest/gtest.h>

namespace pnfs {
namespace {

TEST(SeededRandom, SameSeedSameSequence) {
  SeededRandom a(7), b(7), c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs |= value != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(SeededRandom, BelowStaysBelowAndReachesAll) {
  SeededRandom random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = random.below(5);
    ASSERT_LT(value, 5u);
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 5u);
}

}  // namespace
}  // namespace pnfs
