// Frees files whose last name is gone, in the background, once nobody has them open. What a crash left behind is found
// in the catalog after the grace period: until then a client may still reclaim its open (RFC 8881 8.4.2.1).
#pragma once

#include <deque>
#include <functional>
#include <unordered_set>

#include "common/io/task_group.hpp"
#include "common/io/timer_queue.hpp"
#include "mds/data/file_io.hpp"

namespace pnfs::mds {

class Reaper {
 public:
  using InUse = std::function<bool(FileId)>;
  Reaper(io::TimerQueue& timers, Namespace& names, FileIo& files, InUse in_use)
      : timers_(timers), names_(names), files_(files), in_use_(std::move(in_use)), woken_(timers.executor()) {}

  // The file has no name any more, or lost its last open: freed if it may be.
  void consider(FileId file);
  // Grace is over: from now on orphans are freed; those of the last instance are looked for.
  void enable();
  size_t pending() const { return queue_.size(); }
  // Ends with cancellation; spawn it in the server's task group.
  io::Task<void> run();

 private:
  bool find_orphans();

  io::TimerQueue& timers_;
  Namespace& names_;
  FileIo& files_;
  InUse in_use_;
  io::Event woken_;
  std::deque<FileId> queue_;
  std::unordered_set<FileId> queued_;
  bool enabled_ = false;
  bool scanning_ = false;
  FileId scanned_to_ = 0;
};

}  // namespace pnfs::mds
