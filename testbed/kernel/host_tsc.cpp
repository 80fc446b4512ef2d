#include "testbed/kernel/host_tsc.hpp"

#ifdef __x86_64__
#include <x86intrin.h>

#include <chrono>
#include <limits>
#include <thread>
#endif

namespace pnfs::kernel {

#ifdef __x86_64__

namespace {

struct Reading {
  uint64_t ticks = 0;
  std::chrono::steady_clock::time_point time;
};

// Both clocks at the same moment: of several tries the one in which the least happened between.
Reading read_both() {
  constexpr int kTries = 20;
  Reading best;
  uint64_t least = std::numeric_limits<uint64_t>::max();
  for (int i = 0; i < kTries; ++i) {
    const uint64_t before = __rdtsc();
    const auto time = std::chrono::steady_clock::now();
    const uint64_t after = __rdtsc();
    if (after - before >= least) continue;
    least = after - before;
    best = {before + (after - before) / 2, time};
  }
  return best;
}

}  // namespace

uint64_t host_tsc_khz() {
  const Reading first = read_both();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const Reading second = read_both();
  const auto passed = std::chrono::nanoseconds(second.time - first.time).count();
  return passed <= 0 ? 0 : (second.ticks - first.ticks) * 1'000'000 / static_cast<uint64_t>(passed);
}

#else

uint64_t host_tsc_khz() {
  return 0;
}

#endif

}  // namespace pnfs::kernel
