// All time-outs of a process come from one queue on one Clock. AsioTimers drives it from real time; the simulation
// drives it by hand (next_deadline, fire_due) and so owns time.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <optional>

#include "common/base/clock.hpp"
#include "common/io/task.hpp"

namespace pnfs::io {

class TimerQueue {
 public:
  using Id = uint64_t;  // never reused; 0 is no timer

  TimerQueue(Executor executor, const Clock& clock) : executor_(executor), clock_(clock) {}
  virtual ~TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  const Clock& clock() const { return clock_; }
  Executor executor() const { return executor_; }
  TimePoint now() const { return clock_.now(); }

  // `action` runs once on the executor's thread, not before `when`; it must not throw. Equal deadlines fire in the
  // order they were scheduled.
  Id schedule(TimePoint when, std::function<void()> action);
  Id schedule_after(Duration delay, std::function<void()> action) { return schedule(now() + delay, std::move(action)); }
  // True when the action had not run and now never will.
  bool cancel(Id id);

  // A sleeping coroutine is cancelled like any other Asio operation: it then throws operation_aborted.
  Task<void> sleep(Duration delay);

  std::optional<TimePoint> next_deadline() const;
  // Runs every action whose time has come. Returns how many ran.
  size_t fire_due();
  size_t size() const { return by_time_.size(); }

 protected:
  virtual void on_earliest_changed() {}

 private:
  struct Key {
    TimePoint when;
    Id id;
    auto operator<=>(const Key&) const = default;
  };
  Executor executor_;
  const Clock& clock_;
  Id next_id_ = 1;
  std::map<Key, std::function<void()>> by_time_;
  std::map<Id, TimePoint> by_id_;
};

// Real time: one asio timer armed for the earliest deadline.
class AsioTimers final : public TimerQueue {
 public:
  AsioTimers(Executor executor, const Clock& clock) : TimerQueue(executor, clock), timer_(executor) {}

 private:
  void on_earliest_changed() override;
  void arm();

  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer_;
  std::optional<TimePoint> armed_for_;
};

}  // namespace pnfs::io
