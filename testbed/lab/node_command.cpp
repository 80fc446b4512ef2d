#include "testbed/lab/node_command.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "common/io/local_address.hpp"

namespace pnfs::lab {

namespace {

constexpr timeval kAnswerTimeout{10, 0};

}  // namespace

Result<std::string> send_command(const std::string& socket_path, const std::string& command) {
  if (command.find('\n') != command.npos) return error(Errc::invalid, "a command is one line");
  const auto address = io::local_address(socket_path);
  if (!address) return address.error();
  ScopedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return error(Errc::io, "making a socket: {}", std::strerror(errno));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof kAnswerTimeout);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kAnswerTimeout, sizeof kAnswerTimeout);
  if (::connect(fd.get(), address->get(), address->size()) != 0) {
    return error(errno == ENOENT ? Errc::not_found : Errc::refused, "nobody answers at {}: {}", socket_path,
                 std::strerror(errno));
  }
  const std::string line = "C" + command + "\n";
  for (size_t done = 0; done < line.size();) {
    const ssize_t sent = ::send(fd.get(), line.data() + done, line.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return error(Errc::io, "writing to {}: {}", socket_path, std::strerror(errno));
    done += static_cast<size_t>(sent);
  }
  std::string answer;
  for (;;) {
    char bytes[65536];
    const ssize_t got = ::recv(fd.get(), bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error(Errc::timeout, "no answer from {}: {}", socket_path, std::strerror(errno));
    if (got == 0) break;
    answer.append(bytes, static_cast<size_t>(got));
  }
  if (answer.starts_with('K')) return answer.substr(1);
  return error(Errc::invalid, "{}", answer.empty() ? "no answer from " + socket_path : answer.substr(1));
}

}  // namespace pnfs::lab
