#include "common/trace/file_sink.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/trace/json_line.hpp"

namespace pnfs::trace {

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path, std::string node, io::TimerQueue& timers) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return error(Errc::io, "cannot write the trace file {}: {}", path, std::strerror(errno));
  return std::unique_ptr<FileSink>(new FileSink(fd, path, std::move(node), timers));
}

FileSink::~FileSink() {
  flush();
  if (fd_ >= 0) ::close(fd_);
}

void FileSink::write(const Event& event) {
  Event complete = event;
  if (complete.node.empty()) complete.node = node_;
  if (complete.ts == WallTime{}) complete.ts = timers_.clock().wall();
  append_json_line(buffer_, complete);
  if (buffer_.size() >= kFlushBytes) {
    flush();
  } else if (timer_ == 0) {
    timer_ = timers_.schedule_after(kFlushAfter, [this] {
      timer_ = 0;
      flush();
    });
  }
}

void FileSink::flush() {
  if (timer_ != 0) timers_.cancel(timer_);
  timer_ = 0;
  size_t done = 0;
  while (done < buffer_.size() && fd_ >= 0) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      spdlog::error("trace file {}: {}; no more events are written", path_, std::strerror(errno));
      ::close(fd_);
      fd_ = -1;
      set_enabled(false);
      break;
    }
    done += static_cast<size_t>(n);
  }
  buffer_.clear();
}

}  // namespace pnfs::trace
