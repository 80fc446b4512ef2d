// The real Network: TCP with TCP_NODELAY, on the process's io_context.
#pragma once

#include "common/io/stream.hpp"

namespace pnfs::io {

class TcpNetwork final : public Network {
 public:
  explicit TcpNetwork(asio::io_context& context) : context_(context) {}
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to) override;
  // Refused with a sentence when the port is in use.
  Result<std::unique_ptr<Listener>> listen(Endpoint at) override;
  // A listening socket made elsewhere (in a guest's network namespace) and passed to us; taken over and closed by us.
  Result<std::unique_ptr<Listener>> adopt(int listening_fd);

 private:
  asio::io_context& context_;
};

}  // namespace pnfs::io
