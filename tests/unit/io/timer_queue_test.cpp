#include "common/io/timer_queue.hpp"

#include <gtest/gtest.h>

#include "common/io/task_group.hpp"

namespace pnfs::io {
namespace {

using namespace std::chrono_literals;

struct TimerQueueTest : ::testing::Test {
  asio::io_context context;
  ManualClock clock;
  TimerQueue timers{context.get_executor(), clock};

  // The simulation's loop in small: run what is ready, then jump to the next deadline.
  void run() {
    for (;;) {
      context.restart();
      while (context.poll() > 0) context.restart();
      const auto next = timers.next_deadline();
      if (!next) return;
      clock.advance_to(*next);
      timers.fire_due();
    }
  }
};

TEST_F(TimerQueueTest, FiresInOrderOfTimeThenOfScheduling) {
  std::string order;
  timers.schedule_after(2s, [&] { order += 'c'; });
  timers.schedule_after(1s, [&] { order += 'a'; });
  timers.schedule_after(1s, [&] { order += 'b'; });
  run();
  EXPECT_EQ(order, "abc");
}

TEST_F(TimerQueueTest, CancelledActionNeverRuns) {
  bool ran = false;
  const auto id = timers.schedule_after(1s, [&] { ran = true; });
  EXPECT_TRUE(timers.cancel(id));
  EXPECT_FALSE(timers.cancel(id));
  run();
  EXPECT_FALSE(ran);
}

TEST_F(TimerQueueTest, SleepingTaskWakesAtItsTimeAndStopEndsItEarly) {
  TaskGroup group(context.get_executor());
  int woken = 0;
  auto sleeper = [](TimerQueue& queue, Duration delay, int& count) -> Task<void> {
    co_await queue.sleep(delay);
    ++count;
  };
  group.spawn("short", sleeper(timers, 1s, woken));
  group.spawn("long", sleeper(timers, 100s, woken));
  timers.schedule_after(10s, [&] { group.stop(); });
  run();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(group.size(), 0u);
  EXPECT_LT(clock.now().time_since_epoch(), 20s);
}

}  // namespace
}  // namespace pnfs::io
