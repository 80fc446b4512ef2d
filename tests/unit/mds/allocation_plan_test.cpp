#include "mds/control/allocation_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace pnfs::mds::cluster {
namespace {

using control::ByteRange;

constexpr uint64_t kMiB = 1 << 20, kUnit = 64 << 10;

struct Plan : ::testing::Test {
  AllocationPlan plan;
  std::vector<ByteRange> allocated;

  bool has(const ByteRange& range) const {
    uint64_t at = range.offset;
    for (bool more = true; more && at < range.end;) {
      more = false;
      for (const auto& one : allocated)
        if (one.offset <= at && at < one.end) at = one.end, more = true;
    }
    return at >= range.end;
  }
  // A write as the MDS sees it: asks the plan when something is missing.
  void write(uint64_t offset, uint64_t length = kUnit) {
    const ByteRange need{offset, offset + length};
    if (has(need)) return;
    ++asked;
    const ByteRange got = plan.propose(7, need);
    ASSERT_TRUE(got.contains(need));
    allocated.push_back(got);
  }
  uint64_t total() const {
    uint64_t sum = 0;
    for (const auto& one : allocated) sum += one.length();
    return sum;
  }
  void cut() { allocated.clear(); }
  int asked = 0;
};

TEST_F(Plan, AStreamDoublesUpToTheMost) {
  for (uint64_t at = 0; at < 1024 * kMiB; at += kUnit) write(at);
  EXPECT_EQ(asked, 12);  // 1, 3, 7 ... 255, then 256 MiB each
  EXPECT_LE(allocated.back().length(), AllocationPlan::kMost);
}

TEST_F(Plan, WritesThatComeMegabytesEarlyOrLateAreTheSameStream) {
  std::mt19937 dice(1);
  std::vector<uint64_t> order;
  for (uint64_t at = 0; at < 1024 * kMiB; at += kUnit) order.push_back(at);
  constexpr size_t kMixed = 4 * kMiB / kUnit;
  for (size_t i = 0; i + kMixed <= order.size(); i += kMixed / 2)
    std::shuffle(order.begin() + i, order.begin() + i + kMixed, dice);
  for (const uint64_t at : order) write(at);
  EXPECT_LE(asked, 24);
  EXPECT_LE(total(), 1024 * kMiB + AllocationPlan::kMost + 16 * kMiB);
}

TEST_F(Plan, AFileThatIsCutAndWrittenAgainStartsSmall) {
  for (int round = 0; round < 20; ++round) {
    cut();
    write(0);
    EXPECT_EQ(total(), kMiB) << round;
  }
}

TEST_F(Plan, LonelyWritesTakeLittle) {
  for (uint64_t at = 0; at < 300 * kMiB; at += kUnit) write(at);
  const uint64_t before = total();
  for (int i = 0; i < 10; ++i) write((600 + 240 * uint64_t(i)) * kMiB);
  EXPECT_EQ(total() - before, 10 * kMiB);
}

TEST_F(Plan, TwoStreamsInOneFileDoNotDisturbEachOther) {
  for (uint64_t at = 0; at < 512 * kMiB; at += kUnit) {
    write(at);
    write(2048 * kMiB + at);
  }
  EXPECT_EQ(asked, 20);
}

TEST_F(Plan, TheEndOfTheLargestFileIsTheEnd) {
  const ByteRange need{AllocationPlan::kFileEnd - kUnit, AllocationPlan::kFileEnd};
  EXPECT_EQ(plan.propose(7, need), need);
}

TEST_F(Plan, WhatCouldNotBeHadIsNotBuiltOn) {
  write(0);
  const ByteRange second = plan.propose(7, {kMiB, kMiB + kUnit});
  EXPECT_EQ(second.length(), 2 * kMiB);
  plan.done_instead(7, second, {kMiB, kMiB + kUnit});
  EXPECT_EQ(plan.propose(7, {kMiB + kUnit, kMiB + 2 * kUnit}).length(), 2 * kUnit);
  const ByteRange third = plan.propose(8, {0, kUnit});
  plan.done_instead(8, third, {0, 0});
  EXPECT_EQ(plan.propose(8, {0, kUnit}), third);
}

}  // namespace
}  // namespace pnfs::mds::cluster
