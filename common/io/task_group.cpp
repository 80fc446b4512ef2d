#include "common/io/task_group.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
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

TaskGroup::~TaskGroup() {
  assert(running_.empty() && "a TaskGroup must be joined before it is destroyed");
}

void TaskGroup::spawn(std::string name, Task<void> task) {
  const auto entry = running_.emplace(running_.end());
  entry->name = std::move(name);
  auto done = [this, entry](const std::exception_ptr& failure) {
    if (failure) log_failure(entry->name, failure);
    running_.erase(entry);
    if (running_.empty()) empty_.notify_all();
  };
  asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(entry->cancel.slot(), std::move(done)));
  if (stopping_) {
    // Not yet started: the signal must reach it after its first suspension.
    asio::post(executor_, [this] { stop(); });
  }
}

void TaskGroup::stop() {
  stopping_ = true;
  // A handler may run inline and erase its entry, so step before emitting.
  for (auto it = running_.begin(); it != running_.end();) {
    const auto entry = it++;
    entry->cancel.emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::join() {
  while (!running_.empty()) co_await empty_.wait();
}

}  // namespace pnfs::io
