#include "common/trace/file_sink.hpp"

namespace pnfs::trace {

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path, std::string node, io::TimerQueue& timers) {
  auto file = io::AppendFd::open(path, 0644, "trace file");
  if (!file) return file.error();
  return std::unique_ptr<FileSink>(new FileSink(std::move(*file), std::move(node), timers));
}

FileSink::~FileSink() {
  if (timer_ != 0) timers_.cancel(timer_);
  writer_.take(batch_);
}

void FileSink::flush() {
  writer_.take(batch_);
  writer_.drain();
}

void FileSink::write(const Event& event) {
  batch_.add(event, event.ts == WallTime{} ? timers_.clock().wall() : event.ts);
  if (batch_.bytes() >= kBatchBytes) {
    writer_.take(batch_);
    if (writer_.given_up()) set_enabled(false);
  } else if (timer_ == 0) {
    // Stays armed when a batch goes before: a busy server need not touch its timers for each.
    timer_ = timers_.schedule_after(kFlushAfter, [this] {
      timer_ = 0;
      writer_.take(batch_);
    });
  }
}

}  // namespace pnfs::trace
