#include "testbed/bench/echo.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "common/base/scoped_fd.hpp"

namespace pnfs::bench {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

bool send_all(int fd, const std::vector<char>& from, size_t bytes) {
  for (size_t sent = 0; sent < bytes;) {
    const ssize_t n = send(fd, from.data() + sent, bytes - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

// Both ends of a TCP connection over loopback.
Result<std::pair<ScopedFd, ScopedFd>> connect_pair() {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  auto* name = reinterpret_cast<sockaddr*>(&at);
  const ScopedFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ScopedFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(listener.get(), name, length) != 0 || listen(listener.get(), 1) != 0 ||
      getsockname(listener.get(), name, &length) != 0 || connect(client.get(), name, length) != 0)
    return error(Errc::io, "a connection over loopback: {}", std::strerror(errno));
  ScopedFd server(accept(listener.get(), nullptr, nullptr));
  const int on = 1;
  for (const int fd : {client.get(), server.get()}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::pair(std::move(client), std::move(server));
}

// Until the peer closes; the CPU time of this thread.
void serve_echo(int fd, const EchoOptions& o, Nanoseconds& cpu) {
  std::vector<char> in(64 << 10), out(std::max<size_t>(64 << 10, o.reply_bytes));
  size_t have = 0;
  for (bool good = true; good;) {
    const ssize_t n = recv(fd, in.data(), in.size(), 0);
    if (n <= 0) break;
    have += static_cast<size_t>(n);
    // Small replies leave together, as those of a server do that has found several requests.
    size_t to_send = have / o.request_bytes * o.reply_bytes;
    have %= o.request_bytes;
    for (size_t now = 0; good && to_send > 0; to_send -= now) {
      now = std::min(to_send, out.size());
      good = send_all(fd, out, now);
    }
  }
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  cpu = std::chrono::seconds(spent.tv_sec) + Nanoseconds(spent.tv_nsec);
}

}  // namespace

Result<EchoFigures> measure_echo(const EchoOptions& o) {
  auto ends = connect_pair();
  if (!ends) return ends.error();
  auto& [client, server] = *ends;
  Nanoseconds cpu{};
  std::thread thread(serve_echo, server.get(), std::cref(o), std::ref(cpu));
  const auto began = std::chrono::steady_clock::now();
  std::vector<char> out(o.depth * o.request_bytes), in(std::max<size_t>(o.depth * o.request_bytes, 1u << 20));
  uint64_t unsent = o.requests, unread = o.requests * o.reply_bytes;
  bool good = true;
  while (good && unread > 0) {
    // As a client does whose replies came: as many new requests as were answered whole.
    const uint64_t under_way = (unread + o.reply_bytes - 1) / o.reply_bytes - unsent;
    const uint64_t now = std::min<uint64_t>(o.depth - under_way, unsent);
    good = send_all(client.get(), out, now * o.request_bytes);
    unsent -= now;
    const ssize_t n = good ? recv(client.get(), in.data(), in.size(), 0) : 0;
    good = n > 0;
    if (good) unread -= static_cast<size_t>(n);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  client.reset();
  thread.join();
  if (!good) return error(Errc::io, "the echo over loopback broke");
  const auto n = static_cast<double>(o.requests);
  return EchoFigures{n / took.count(), static_cast<double>(cpu.count()) / 1000 / n};
}

}  // namespace pnfs::bench
