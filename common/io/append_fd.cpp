#include "common/io/append_fd.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pnfs::io {

Result<AppendFd> AppendFd::open(const std::string& path, unsigned mode, std::string_view what) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode);
  if (fd < 0) return error(Errc::io, "cannot write the {} {}: {}", what, path, std::strerror(errno));
  struct stat now {};
  const bool empty = ::fstat(fd, &now) == 0 && now.st_size == 0;
  return AppendFd(fd, fmt::format("{} {}", what, path), empty);
}

AppendFd::~AppendFd() {
  if (fd_ >= 0) ::close(fd_);
}

void AppendFd::write(std::string_view bytes) {
  while (!bytes.empty() && fd_ >= 0) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      spdlog::error("{}: {}; it is given up", name_, std::strerror(errno));
      ::close(fd_.exchange(-1));
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace pnfs::io
