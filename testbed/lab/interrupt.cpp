#include "testbed/lab/interrupt.hpp"

#include <array>
#include <atomic>

namespace pnfs::lab {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

// What a signal handler may touch.
std::atomic<bool> signal_came = false;
std::array<std::atomic<kernel::Guest*>, 50> stoppable_guests{};

void note_signal(int) {
  signal_came = true;
  for (auto& guest : stoppable_guests)
    if (kernel::Guest* running = guest.load()) running->stop();
}

}  // namespace

InterruptGuard::InterruptGuard() {
  struct sigaction on {};
  on.sa_handler = note_signal;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &on, &old_[i]);
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &old_[i], nullptr);
}

bool interrupted() {
  return signal_came;
}

StopOnInterrupt::StopOnInterrupt(kernel::Guest& guest) {
  for (kernel::Guest* nobody = nullptr; place_ < stoppable_guests.size(); ++place_, nobody = nullptr)
    if (stoppable_guests[place_].compare_exchange_strong(nobody, &guest)) break;
  if (signal_came) guest.stop();
}

StopOnInterrupt::~StopOnInterrupt() {
  if (place_ < stoppable_guests.size()) stoppable_guests[place_] = nullptr;
}

}  // namespace pnfs::lab
