// The trace as a file of JSON lines.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/io/timer_queue.hpp"
#include "common/trace/line_writer.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::trace {

// Appends to a file. What is recorded collects as packed events and goes to a thread of the sink's own (LineWriter) when
// kBatchBytes of it have collected or kFlushAfter after the first. flush() and destruction wait until it is in the file.
// Each write ends with a whole line. Nothing is left out: when the thread is behind, record() waits. io::AppendFd says
// what happens when the file cannot be written.
class FileSink final : public Sink {
 public:
  static constexpr size_t kBatchBytes = 64 * 1024;
  static constexpr Duration kFlushAfter = std::chrono::milliseconds(50);

  // The file is made, with its folder's permissions as they are, when missing. `timers` must outlive the sink.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path, std::string node, io::TimerQueue& timers);
  ~FileSink() override;

  void flush() override;

 private:
  FileSink(io::AppendFd file, std::string node, io::TimerQueue& timers)
      : timers_(timers), writer_(std::move(file), std::move(node)) {}
  void write(const Event& event) override;

  io::TimerQueue& timers_;
  io::TimerQueue::Id timer_ = 0;
  Batch batch_;
  LineWriter writer_;
};

}  // namespace pnfs::trace
