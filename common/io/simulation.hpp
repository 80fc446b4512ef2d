// Virtual time: one io_context and one TimerQueue whose clock moves only when nothing is left to run, straight to the
// next deadline. From the same seed the same things happen in the same order, however long they would take.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>
#include <optional>

#include "common/base/clock.hpp"
#include "common/base/random.hpp"
#include "common/io/task.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::io {

class Simulation {
 public:
  explicit Simulation(uint64_t seed = 1) : random_(seed), timers_(context_.get_executor(), clock_) {}

  asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }
  const ManualClock& clock() const { return clock_; }
  TimerQueue& timers() { return timers_; }
  Random& random() { return random_; }
  TimePoint now() const { return clock_.now(); }

  // Runs what is ready, without moving time.
  void settle();
  // Runs what is ready and then jumps to the next deadline, if it is not after `limit`. False: nothing to jump to.
  bool step(TimePoint limit);
  // True when the predicate came true within `limit` of virtual time. It is asked after each jump.
  bool run_until(const std::function<bool()>& predicate, Duration limit);
  void run_for(Duration time);

  // Runs a coroutine to its end and returns what it returned. An exception passes through. A coroutine that can never
  // end (nothing is scheduled any more), or does not within `limit`, is a std::logic_error.
  template <class T>
  T run(Task<T> task, Duration limit = std::chrono::hours(24)) {
    struct State {
      bool ended = false;
      std::exception_ptr failure;
      std::optional<T> value;
    };
    const auto state = std::make_shared<State>();
    asio::co_spawn(context_, std::move(task), [state](std::exception_ptr failure, std::optional<T> value) {
      state->ended = true;
      state->failure = failure;
      state->value = std::move(value);
    });
    wait_for(state->ended, limit);
    if (state->failure) std::rethrow_exception(state->failure);
    return std::move(*state->value);
  }
  void run(Task<void> task, Duration limit = std::chrono::hours(24));

 private:
  void wait_for(const bool& ended, Duration limit);

  asio::io_context context_{1};
  ManualClock clock_;
  SeededRandom random_;
  TimerQueue timers_;
};

}  // namespace pnfs::io
