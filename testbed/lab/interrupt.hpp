// Ctrl-C (SIGINT, SIGTERM, SIGHUP) while a subcommand holds what has to be ended: the signal is noted instead of ending
// the program, so that everything is put away on the ordinary way out.
#pragma once

#include <csignal>

#include "testbed/kernel/guest.hpp"

namespace pnfs::lab {

// While one exists the signals are only noted. They may nest.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction old_[3]{};
};

// True once a signal has come. To be looked at between steps.
bool interrupted();

// A guest that is stopped by such a signal, so that waiting for it ends. Up to 50 at a time.
class StopOnInterrupt {
 public:
  explicit StopOnInterrupt(kernel::Guest& guest);
  ~StopOnInterrupt();
  StopOnInterrupt(const StopOnInterrupt&) = delete;
  StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

 private:
  size_t place_ = 0;
};

}  // namespace pnfs::lab
