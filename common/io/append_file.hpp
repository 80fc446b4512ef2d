// A file that only grows and is read by others while it does: traces and captures.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::io {

// What is added collects in memory and reaches the file when `flush_bytes` have collected, kFlushAfter after the first of
// it, on flush() and on destruction. Each flush ends where an added() ended. A file that cannot be written any more (disk
// full) is reported once in the log and given up: the server goes on without.
class AppendFile {
 public:
  static constexpr Duration kFlushAfter = std::chrono::milliseconds(50);

  // Made with `mode` when missing, its folder is not. `what` is what messages call it. `timers` must outlive it.
  static Result<std::unique_ptr<AppendFile>> open(const std::string& path, unsigned mode, std::string_view what,
                                                  size_t flush_bytes, TimerQueue& timers);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // Append to this, then call added().
  std::string& buffer() { return buffer_; }
  void added() {
    if (buffer_.size() >= flush_bytes_) {
      flush();
    } else if (timer_ == 0) {
      arm();
    }
  }
  void flush();

  bool given_up() const { return fd_ < 0; }
  bool was_empty() const { return was_empty_; }  // when it was opened
  const Clock& clock() const { return timers_.clock(); }

 private:
  AppendFile(int fd, std::string name, size_t flush_bytes, bool was_empty, TimerQueue& timers)
      : fd_(fd), name_(std::move(name)), flush_bytes_(flush_bytes), was_empty_(was_empty), timers_(timers) {}
  void arm();

  int fd_;
  std::string name_;
  size_t flush_bytes_;
  bool was_empty_;
  TimerQueue& timers_;
  TimerQueue::Id timer_ = 0;
  std::string buffer_;
};

}  // namespace pnfs::io
