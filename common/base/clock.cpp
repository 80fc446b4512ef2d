#include "common/base/clock.hpp"

namespace pnfs {

namespace {
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

WallTime from_nanoseconds(int64_t ns) {
  return {ns / kNanosecondsPerSecond, static_cast<uint32_t>(ns % kNanosecondsPerSecond)};
}
}  // namespace

TimePoint SystemClock::now() const {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

WallTime SystemClock::wall() const {
  return from_nanoseconds(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count());
}

WallTime ManualClock::wall() const {
  return from_nanoseconds(start_.seconds * kNanosecondsPerSecond + start_.nanoseconds +
                          now_.time_since_epoch().count());
}

}  // namespace pnfs
