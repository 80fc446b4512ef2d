// An outgoing call that waits for its reply. Private to connection.cpp and call.cpp.
#pragma once

#include "common/rpc/connection.hpp"

namespace pnfs::rpc {

struct Connection::Pending {
  Pending(Connection& connection, uint32_t xid);
  ~Pending();
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  // The first outcome counts.
  void finish(Result<std::unique_ptr<Reply>> result);

  Connection& connection;
  uint32_t xid;
  io::Event done;
  io::TimerQueue::Id timer = 0;
  std::optional<Result<std::unique_ptr<Reply>>> outcome;
};

}  // namespace pnfs::rpc
