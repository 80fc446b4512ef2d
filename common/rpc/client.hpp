// Makes connections. The other side may call us on them: add services for that (an NFSv4.1 back channel).
#pragma once

#include <map>
#include <memory>

#include "common/io/task_group.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::rpc {

class Client {
 public:
  // `observer` may be null; it and the seams must outlive the client.
  Client(io::Network& network, io::TimerQueue& timers, Limits limits = {}, Observer* observer = nullptr);
  // stop() must have ended.
  ~Client();

  // Before the first connect.
  void add_service(Service& service) { dispatcher_.add(service); }

  // A new connection each time. Errc::refused, Errc::timeout, Errc::io.
  io::Task<Result<std::shared_ptr<Connection>>> connect(io::Endpoint to, Duration timeout);

  // Closes every connection, cancels handlers of incoming calls, and waits for them.
  io::Task<void> stop();

 private:
  struct Attempt;
  io::Task<void> attempt(std::shared_ptr<Attempt> attempt, io::Endpoint to);

  io::Network& network_;
  io::TimerQueue& timers_;
  Limits limits_;
  Observer* observer_;
  Dispatcher dispatcher_;
  std::shared_ptr<BufferPool> buffers_;
  io::TaskGroup tasks_;
  io::TaskGroup handlers_;
  uint64_t next_connection_ = 1;
  std::map<uint64_t, std::shared_ptr<Connection>> connections_;
};

}  // namespace pnfs::rpc
