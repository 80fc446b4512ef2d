#include "testbed/kernel/sockets.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "common/io/local_address.hpp"

namespace pnfs::kernel {

namespace {

Result<ScopedFd> listen_at(const ServerPort& port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port.port);
  if (::inet_pton(AF_INET, port.address.c_str(), &name.sin_addr) != 1)
    return error(Errc::invalid, "the address '{}' of {} is not an IPv4 address", port.address, port.node);
  ScopedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 || ::listen(fd.get(), 128) != 0)
    return error(Errc::io, "listening for {} at {}:{}: {}", port.node, port.address, port.port, std::strerror(errno));
  return fd;
}

}  // namespace

Result<void> send_descriptor(int to, int descriptor) {
  char verb = 'L';
  iovec piece{&verb, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  if (::sendmsg(to, &message, MSG_NOSIGNAL) != 1)
    return error(Errc::io, "passing a listening socket: {}", std::strerror(errno));
  return {};
}

Result<void> ListenerOffer::send() {
  served_ = false;
  connection_.reset();
  const auto address = io::local_address(port_.control_path);
  if (!address) return address.error();
  ScopedFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!connection) return error(Errc::io, "making a socket: {}", std::strerror(errno));
  if (::connect(connection.get(), address->get(), address->size()) != 0) {
    return error(errno == ENOENT ? Errc::not_found : Errc::refused,
                 "{} does not answer at {}: {}; is it running (pnfslab status)?", port_.node, port_.control_path,
                 std::strerror(errno));
  }
  const auto listening = listen_at(port_);
  if (!listening) return listening.error();
  if (auto sent = send_descriptor(connection.get(), listening->get()); !sent) return sent;
  connection_ = std::move(connection);
  return {};
}

Result<void> ListenerOffer::on_readable() {
  char answer[512];
  const ssize_t got = ::recv(connection_.get(), answer, sizeof answer, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (got > 0 && answer[0] == 'K') {
    served_ = true;
    return {};
  }
  connection_.reset();
  served_ = false;
  if (got > 0)
    return error(Errc::refused, "{} refused a listening socket: {}", port_.node,
                 std::string(answer + 1, size_t(got - 1)));
  return error(Errc::closed, "{} closed its control socket", port_.node);
}

}  // namespace pnfs::kernel
