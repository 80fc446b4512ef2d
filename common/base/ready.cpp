#include "common/base/ready.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "common/base/scoped_fd.hpp"

namespace pnfs {

namespace {

Result<void> tell_service_manager(std::string_view path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path)
    return error(Errc::too_large, "the path in NOTIFY_SOCKET has {} bytes", path.size());
  std::memcpy(name.sun_path, path.data(), path.size());
  if (path.front() == '@') name.sun_path[0] = '\0';  // of the abstract namespace
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const ScopedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr std::string_view kReady = "READY=1";
  if (!fd || ::sendto(fd.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&name),
                      length) < 0)
    return error(Errc::io, "telling the service manager at {}: {}", path, std::strerror(errno));
  return {};
}

}  // namespace

Result<void> tell_ready(int fd) {
  if (const char* given = std::getenv("NOTIFY_FD"); fd < 0 && given != nullptr) fd = std::atoi(given);
  if (fd >= 0) {
    const ScopedFd closed_afterwards(fd);
    if (::write(fd, "ready\n", 6) != 6) return error(Errc::io, "nobody listens on the ready descriptor {}", fd);
  }
  const char* manager = std::getenv("NOTIFY_SOCKET");
  if (manager == nullptr || *manager == '\0') return {};
  return tell_service_manager(manager);
}

}  // namespace pnfs
