// The owner of background coroutines. Whatever is spawned here is joined before the owner goes: stop() cancels,
// join() waits until the last one has ended.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>
#include <string>

#include "common/io/event.hpp"
#include "common/io/task.hpp"

namespace pnfs::io {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(executor), empty_(executor) {}
  // Must be empty: an owner that is destroyed with running tasks is a programmer's mistake (asserted).
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts inside this call when the caller runs on the executor, else soon on it: neither may count on what the other
  // has done by then. An exception that leaves the task is logged with `name` (but not operation_aborted, which is how a
  // cancelled task ends).
  void spawn(std::string name, Task<void> task);
  // Cancels what runs; what has not started yet, or is spawned later, never starts.
  void stop();
  bool stopping() const { return stopping_; }
  size_t size() const { return running_.size(); }
  Task<void> join();

 private:
  struct Entry {
    std::string name;
    asio::cancellation_signal cancel;
    bool started = false;
  };
  struct Done;
  Task<void> run(std::list<Entry>::iterator entry, Task<void> task);

  Executor executor_;
  std::list<Entry> running_;
  Event empty_;
  bool stopping_ = false;
};

}  // namespace pnfs::io
