#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

long long now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

}  // namespace

bool reap(pid_t pid, int& status) {
  int raw = 0;
  for (pid_t got; (got = ::waitpid(-1, &raw, WNOHANG)) > 0;) {
    if (got != pid) continue;
    status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return true;
  }
  return false;
}

pid_t fork_child() {
  sigset_t child_signal;
  ::sigemptyset(&child_signal);
  ::sigaddset(&child_signal, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child_signal, nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) ::sigprocmask(SIG_UNBLOCK, &child_signal, nullptr);
  return pid;
}

ChildEnd wait_child(pid_t pid, long long timeout_ms) {
  ChildEnd end;
  sigset_t child_signal;
  ::sigemptyset(&child_signal);
  ::sigaddset(&child_signal, SIGCHLD);
  long long deadline = now_ms() + timeout_ms;
  for (;;) {
    if (reap(pid, end.status)) return end;
    const long long left = timeout_ms == 0 ? 1000 : deadline - now_ms();
    if (left <= 0) {
      // A child that even SIGKILL cannot end (a wait in the kernel that is not killable) is left alone.
      if (end.timed_out) return end;
      end.timed_out = true;
      ::kill(pid, SIGKILL);
      deadline = now_ms() + 2000;
      continue;
    }
    const timespec wait{left / 1000, left % 1000 * 1'000'000};
    ::sigtimedwait(&child_signal, nullptr, &wait);
  }
}

}  // namespace pnfs::guest
