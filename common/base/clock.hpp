// The Clock seam. Nothing below mds, ds, common/session or common/volume reads the system's time; it is passed in,
// so that a whole cluster can run on virtual time.
#pragma once

#include <chrono>
#include <cstdint>

namespace pnfs {

using Duration = std::chrono::nanoseconds;

// Monotonic time since an arbitrary start: leases, time-outs.
struct MonotonicEpoch {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};
using TimePoint = std::chrono::time_point<MonotonicEpoch, Duration>;

// Seconds and nanoseconds since 1970 UTC, as nfstime4 carries it: file times, trace events.
struct WallTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  auto operator<=>(const WallTime&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  WallTime wall() const override;
};

// Stands still until told otherwise. wall() starts at `start` and moves with now().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = {1'400'000'000, 0}) : start_(start) {}
  TimePoint now() const override { return now_; }
  WallTime wall() const override;
  void advance(Duration by) { now_ += by; }
  void advance_to(TimePoint t) {
    if (t > now_) now_ = t;
  }

 private:
  WallTime start_;
  TimePoint now_{Duration(1)};
};

}  // namespace pnfs
