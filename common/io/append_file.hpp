// A file that only grows and is read by others while it does: captures.
#pragma once

#include <memory>
#include <string>

#include "common/io/append_fd.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::io {

// What is added collects in memory and reaches the file when `flush_bytes` have collected, kFlushAfter after the first of
// it, on flush() and on destruction. Each flush ends where an added() ended. AppendFd says what happens when it cannot be
// written.
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

  bool given_up() const { return file_.given_up(); }
  bool was_empty() const { return file_.was_empty(); }  // when it was opened
  const Clock& clock() const { return timers_.clock(); }

 private:
  AppendFile(AppendFd file, size_t flush_bytes, TimerQueue& timers)
      : file_(std::move(file)), flush_bytes_(flush_bytes), timers_(timers) {}
  void arm();

  AppendFd file_;
  size_t flush_bytes_;
  TimerQueue& timers_;
  TimerQueue::Id timer_ = 0;
  std::string buffer_;
};

}  // namespace pnfs::io
