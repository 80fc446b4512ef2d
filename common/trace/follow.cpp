#include "common/trace/follow.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/trace/json_line.hpp"

namespace pnfs::trace {

Follower::~Follower() {
  if (fd_ >= 0) ::close(fd_);
}

Result<size_t> Follower::poll(const std::function<void(const OwnedEvent&)>& take) {
  if (fd_ < 0) {
    fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0 && errno == ENOENT) return size_t{0};
    if (fd_ < 0) return error(Errc::io, "cannot read the trace file {}: {}", path_, std::strerror(errno));
  }
  // A new run may have replaced the file.
  struct stat now {
  }, open_one{};
  if (::stat(path_.c_str(), &now) == 0 && ::fstat(fd_, &open_one) == 0) {
    const bool replaced = now.st_ino != open_one.st_ino || now.st_dev != open_one.st_dev;
    if (replaced || static_cast<uint64_t>(now.st_size) < offset_) {
      ::close(fd_);
      fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd_ < 0) return error(Errc::io, "cannot read the trace file {}: {}", path_, std::strerror(errno));
      offset_ = 0;
      partial_.clear();
    }
  }
  size_t events = 0;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t n = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error(Errc::io, "cannot read the trace file {}: {}", path_, std::strerror(errno));
    if (n == 0) return events;
    offset_ += static_cast<uint64_t>(n);
    partial_.append(buffer.data(), static_cast<size_t>(n));
    size_t begin = 0;
    for (size_t end; (end = partial_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const auto event = parse_json_line(std::string_view(partial_).substr(begin, end - begin));
      if (event) {
        take(*event);
        ++events;
      } else {
        ++bad_lines_;
      }
    }
    partial_.erase(0, begin);
    if (partial_.size() > kMaxLine) {
      partial_.clear();
      ++bad_lines_;
    }
  }
}

}  // namespace pnfs::trace
