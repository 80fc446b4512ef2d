// The sender's side of common/io/listener_inbox.hpp: a listening socket in this network namespace, served by a process
// of another one.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/guest.hpp"

namespace pnfs::kernel {

// One byte and a descriptor over a Unix socket.
Result<void> send_descriptor(int to, int descriptor);

// Offers one listener and keeps the connection that keeps it served. While the server is down nothing listens, so that
// clients are refused as they would be by a machine whose server is down.
class ListenerOffer {
 public:
  ListenerOffer(ServerPort port) : port_(std::move(port)) {}

  // Makes the socket and sends it. The answer is awaited with on_readable().
  Result<void> send();
  // To be called when fd() is readable. An error: refused with a reason, or the server went away; send() again later.
  Result<void> on_readable();

  int fd() const { return connection_.get(); }
  bool connected() const { return static_cast<bool>(connection_); }
  bool served() const { return served_; }
  const ServerPort& port() const { return port_; }

 private:
  ServerPort port_;
  ScopedFd connection_;
  bool served_ = false;
};

}  // namespace pnfs::kernel
