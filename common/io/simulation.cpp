#include "common/io/simulation.hpp"

#include <stdexcept>

namespace pnfs::io {

void Simulation::settle() {
  do context_.restart();
  while (context_.poll() > 0);
}

bool Simulation::step(TimePoint limit) {
  settle();
  const auto next = timers_.next_deadline();
  if (!next || *next > limit) return false;
  clock_.advance_to(*next);
  timers_.fire_due();
  settle();
  return true;
}

bool Simulation::run_until(const std::function<bool()>& predicate, Duration limit) {
  const TimePoint end = now() + limit;
  settle();
  while (!predicate()) {
    if (step(end)) continue;
    clock_.advance_to(end);
    return predicate();
  }
  return true;
}

void Simulation::run_for(Duration time) {
  run_until([] { return false; }, time);
}

void Simulation::wait_for(const bool& ended, Duration limit) {
  if (run_until([&ended] { return ended; }, limit)) return;
  if (timers_.size() == 0) throw std::logic_error("the simulated coroutine waits for something that cannot happen");
  throw std::logic_error("the simulated coroutine did not end in time");
}

void Simulation::run(Task<void> task, Duration limit) {
  struct State {
    bool ended = false;
    std::exception_ptr failure;
  };
  const auto state = std::make_shared<State>();
  asio::co_spawn(context_, std::move(task), [state](std::exception_ptr failure) {
    state->ended = true;
    state->failure = failure;
  });
  wait_for(state->ended, limit);
  if (state->failure) std::rethrow_exception(state->failure);
}

}  // namespace pnfs::io
