// The trace as a file of JSON lines.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/io/timer_queue.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::trace {

// Appends to a file. Events collect in memory and reach the file when kFlushBytes have collected, kFlushAfter after the
// first of them, on flush() and on destruction. Each flush ends with a whole line. A file that cannot be written any
// more (disk full) is reported once in the log; the server goes on without trace.
class FileSink final : public Sink {
 public:
  static constexpr size_t kFlushBytes = 64 * 1024;
  static constexpr Duration kFlushAfter = std::chrono::milliseconds(50);

  // The file is made, with its folder's permissions as they are, when missing. `timers` must outlive the sink.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path, std::string node, io::TimerQueue& timers);
  ~FileSink() override;

  void flush() override;

 private:
  FileSink(int fd, std::string path, std::string node, io::TimerQueue& timers)
      : fd_(fd), path_(std::move(path)), node_(std::move(node)), timers_(timers) {}
  void write(const Event& event) override;

  int fd_;
  std::string path_;
  std::string node_;
  io::TimerQueue& timers_;
  io::TimerQueue::Id timer_ = 0;
  std::string buffer_;
};

}  // namespace pnfs::trace
