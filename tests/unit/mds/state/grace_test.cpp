#include "mds/state/grace.hpp"

#include <gtest/gtest.h>

namespace pnfs::mds::state {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{100s};

TEST(Grace, WithoutRecordedClientsThereIsNone) {
  Grace grace;
  grace.begin({}, kStart, 12s);
  EXPECT_FALSE(grace.active(kStart));
}

TEST(Grace, EndsWhenItsTimeIsUpOrEverybodyIsDone) {
  Grace grace;
  grace.begin({"a", "b"}, kStart, 12s);
  EXPECT_FALSE(grace.end_if_over(kStart + 11s));
  grace.complete("a");
  EXPECT_FALSE(grace.end_if_over(kStart + 1s));
  grace.complete("b");
  EXPECT_TRUE(grace.end_if_over(kStart + 1s));
  EXPECT_FALSE(grace.end_if_over(kStart + 1s)) << "once";
  grace.begin({"a"}, kStart, 12s);
  EXPECT_TRUE(grace.end_if_over(kStart + 12s));
  EXPECT_FALSE(grace.may_reclaim("a"));
}

TEST(Grace, ALateReclaimerGetsToItsEnd) {
  Grace grace;
  grace.begin({"a"}, kStart, 12s);
  grace.reclaiming("a", kStart + 2s);
  EXPECT_EQ(grace.until(), kStart + 12s) << "early work moves nothing";
  TimePoint now = kStart + 11s;
  for (int i = 0; i < 30; ++i, now += 250ms) {
    EXPECT_TRUE(grace.active(now));
    grace.reclaiming("a", now);
  }
  EXPECT_TRUE(grace.active(now));
  EXPECT_TRUE(grace.end_if_over(now + 3s)) << "a quarter of the period after the last reclaim";
}

TEST(Grace, NobodyKeepsItOpenForEver) {
  Grace grace;
  grace.begin({"a"}, kStart, 12s);
  for (TimePoint now = kStart; now < kStart + 12s; now += 1s) grace.reclaiming("b", now);
  EXPECT_EQ(grace.until(), kStart + 12s) << "who was not there has no say";
  for (TimePoint now = kStart; now < kStart + 60s; now += 1s) grace.reclaiming("a", now);
  EXPECT_EQ(grace.until(), kStart + 24s + 50ms) << "a little more for each client";
  EXPECT_TRUE(grace.end_if_over(kStart + 25s));
  grace.reclaiming("a", kStart + 25s);
  EXPECT_FALSE(grace.active(kStart + 25s)) << "what is over does not come back";
}

}  // namespace
}  // namespace pnfs::mds::state
