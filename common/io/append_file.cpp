#include "common/io/append_file.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pnfs::io {

Result<std::unique_ptr<AppendFile>> AppendFile::open(const std::string& path, unsigned mode, std::string_view what,
                                                     size_t flush_bytes, TimerQueue& timers) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode);
  if (fd < 0) return error(Errc::io, "cannot write the {} {}: {}", what, path, std::strerror(errno));
  struct stat now {};
  const bool empty = ::fstat(fd, &now) == 0 && now.st_size == 0;
  return std::unique_ptr<AppendFile>(new AppendFile(fd, fmt::format("{} {}", what, path), flush_bytes, empty, timers));
}

AppendFile::~AppendFile() {
  flush();
  if (fd_ >= 0) ::close(fd_);
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
  size_t done = 0;
  while (done < buffer_.size() && fd_ >= 0) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      spdlog::error("{}: {}; it is given up", name_, std::strerror(errno));
      ::close(fd_);
      fd_ = -1;
      break;
    }
    done += static_cast<size_t>(n);
  }
  buffer_.clear();
}

}  // namespace pnfs::io
