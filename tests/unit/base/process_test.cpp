#include "common/base/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pnfs {
namespace {

TEST(ProcessStat, TellsALiveProcessFromAZombieAndFromNone) {
  const auto self = process_stat(::getpid());
  ASSERT_TRUE(self);
  EXPECT_FALSE(self->ended());
  EXPECT_GT(self->start_time, 0u);

  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  ASSERT_GT(child, 0);
  const auto alive = process_stat(child);
  EXPECT_EQ(::kill(child, SIGKILL), 0);
  siginfo_t info;
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  const auto zombie = process_stat(child);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(alive);
  EXPECT_FALSE(alive->ended());
  EXPECT_GE(alive->start_time, self->start_time);
  ASSERT_TRUE(zombie);
  EXPECT_TRUE(zombie->ended());
  EXPECT_EQ(zombie->start_time, alive->start_time);
  EXPECT_FALSE(process_stat(child)) << "its parent has taken note of it";
}

}  // namespace
}  // namespace pnfs
