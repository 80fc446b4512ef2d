#include "common/io/append_file.hpp"

namespace pnfs::io {

Result<std::unique_ptr<AppendFile>> AppendFile::open(const std::string& path, unsigned mode, std::string_view what,
                                                     size_t flush_bytes, TimerQueue& timers) {
  auto file = AppendFd::open(path, mode, what);
  if (!file) return file.error();
  return std::unique_ptr<AppendFile>(new AppendFile(std::move(*file), flush_bytes, timers));
}

AppendFile::~AppendFile() {
  flush();
}

void AppendFile::arm() {
  timer_ = timers_.schedule_after(kFlushAfter, [this] {
    timer_ = 0;
    flush();
  });
}

void AppendFile::flush() {
  if (timer_ != 0) timers_.cancel(timer_);
  timer_ = 0;
  file_.write(buffer_);
  buffer_.clear();
}

}  // namespace pnfs::io
