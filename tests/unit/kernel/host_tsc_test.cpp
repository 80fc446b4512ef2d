#include "testbed/kernel/host_tsc.hpp"

#include <gtest/gtest.h>

namespace pnfs::kernel {
namespace {

TEST(HostTsc, IsTheSameWhoeverMeasures) {
  const uint64_t first = host_tsc_khz();
  if (first == 0) GTEST_SKIP() << "no time stamp counter";
  EXPECT_GT(first, 100'000u);
  EXPECT_NEAR(static_cast<double>(host_tsc_khz()), static_cast<double>(first), static_cast<double>(first) / 1000);
}

}  // namespace
}  // namespace pnfs::kernel
