// What answers calls: one Service for each RPC program, a Dispatcher for all programs that share a port (or the back
// channel of a client's connections).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/io/task.hpp"
#include "common/rpc/request.hpp"

namespace pnfs::rpc {

class Service {
 public:
  virtual ~Service() = default;
  virtual uint32_t program() const = 0;
  virtual uint32_t lowest_version() const = 0;
  virtual uint32_t highest_version() const = 0;
  // Builds the reply. Runs as a coroutine of its own; many run at once. It is not cancelled when its connection
  // closes (a session may be asked for the same reply on another connection), only when the server stops: then a
  // co_await throws operation_aborted. Procedure 0 is answered before it gets here.
  virtual io::Task<void> handle(Request& request) = 0;
  // Builds the reply now, as far as that needs no waiting: nothing is left then, and no coroutine was needed. Otherwise
  // the rest of the work, which runs as handle() does.
  virtual std::optional<io::Task<void>> begin(Request& request) { return handle(request); }
};

class Dispatcher {
 public:
  // `service` must outlive the dispatcher's connections. One service for each program.
  void add(Service& service);
  // As Service::begin.
  std::optional<io::Task<void>> begin(Request& request);

 private:
  std::vector<Service*> services_;
};

}  // namespace pnfs::rpc
