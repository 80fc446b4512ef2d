#include "common/io/task_group.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <cassert>

namespace pnfs::io {

namespace {
void log_failure(const std::string& name, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) spdlog::error("task '{}' failed: {}", name, e.what());
  } catch (const std::exception& e) {
    spdlog::error("task '{}' failed: {}", name, e.what());
  }
}
}  // namespace

// The completion handler carries its slot itself. With bind_cancellation_slot, Asio 1.81 would post the cancellation
// and keep only a raw pointer to the signal: a task that ends before the post runs would leave it dangling.
struct TaskGroup::Done {
  using cancellation_slot_type = asio::cancellation_slot;
  cancellation_slot_type get_cancellation_slot() const noexcept { return entry->cancel.slot(); }

  void operator()(const std::exception_ptr& failure) const {
    if (failure) log_failure(entry->name, failure);
    group->running_.erase(entry);
    if (group->running_.empty()) group->empty_.notify_all();
  }

  TaskGroup* group;
  std::list<Entry>::iterator entry;
};

TaskGroup::~TaskGroup() {
  assert(running_.empty() && "a TaskGroup must be joined before it is destroyed");
}

// A cancellation that arrives before a coroutine has started makes Asio 1.81 drop it without calling the completion
// handler, so a task that has not started is stopped by not starting it.
Task<void> TaskGroup::run(std::list<Entry>::iterator entry, Task<void> task) {
  entry->started = true;
  if (stopping_) co_return;
  co_await std::move(task);
}

void TaskGroup::spawn(std::string name, Task<void> task) {
  const auto entry = running_.emplace(running_.end());
  entry->name = std::move(name);
  asio::co_spawn(executor_, run(entry, std::move(task)), Done{this, entry});
}

void TaskGroup::stop() {
  stopping_ = true;
  // A handler may run inline and erase its entry, so step before emitting.
  for (auto it = running_.begin(); it != running_.end();) {
    const auto entry = it++;
    if (entry->started) entry->cancel.emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::join() {
  while (!running_.empty()) co_await empty_.wait();
}

}  // namespace pnfs::io
