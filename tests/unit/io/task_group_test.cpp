#include "common/io/task_group.hpp"

#include <gtest/gtest.h>

namespace pnfs::io {
namespace {

struct TaskGroupTest : ::testing::Test {
  asio::io_context context;
  TaskGroup group{context.get_executor()};
  void run() {
    context.restart();
    context.poll();
  }
  static Task<void> mark(bool& ran) {
    ran = true;
    co_return;
  }
  static Task<void> wait(Event& event, bool& ended) {
    struct Mark {
      bool& flag;
      ~Mark() { flag = true; }
    } mark{ended};
    co_await event.wait();
  }
};

TEST_F(TaskGroupTest, StopEndsATaskThatHasNotStarted) {
  bool ran = false;
  group.spawn("never", mark(ran));
  group.stop();
  run();
  EXPECT_FALSE(ran);
  EXPECT_EQ(group.size(), 0u);
}

TEST_F(TaskGroupTest, NothingStartsAfterStop) {
  group.stop();
  bool ran = false;
  group.spawn("late", mark(ran));
  run();
  EXPECT_FALSE(ran);
  EXPECT_EQ(group.size(), 0u);
}

// The wake-up and the cancellation are both under way: the task ends once, and nothing touches it afterwards.
TEST_F(TaskGroupTest, StopFromOutsideTheLoopWhileTheTaskIsEnding) {
  Event event(context.get_executor());
  bool ended = false;
  group.spawn("waits", wait(event, ended));
  run();
  event.notify_all();
  group.stop();
  run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(group.size(), 0u);
}

}  // namespace
}  // namespace pnfs::io
