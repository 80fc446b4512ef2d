// Accepts connections on any number of listeners and answers the programs added to it, all on every listener.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "common/io/task_group.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::rpc {

class Server {
 public:
  // `observer` and `faults` may be null; they and the seams must outlive the server.
  Server(io::Network& network, io::TimerQueue& timers, Limits limits = {}, Observer* observer = nullptr,
         fault::Injector* faults = nullptr);
  // stop() must have ended.
  ~Server();

  // Before the first listener.
  void add_service(Service& service) { dispatcher_.add(service); }

  using ListenerId = uint64_t;
  Result<ListenerId> listen(const io::Endpoint& at);
  // A listener made elsewhere (a socket from a guest's network namespace).
  ListenerId serve(std::unique_ptr<io::Listener> listener);
  // Its connections stay.
  void remove_listener(ListenerId id);
  // Serves until the listener is closed, then closes the connections that came through it (what io::ListenerInbox asks
  // of whoever serves the listeners passed to it).
  io::Task<void> serve_until_closed(std::unique_ptr<io::Listener> listener);
  std::vector<io::Endpoint> listening() const;

  std::vector<std::shared_ptr<Connection>> connections() const;
  std::shared_ptr<Connection> connection(uint64_t id) const;  // null when it is gone

  // Closes everything, cancels the handlers that run, and waits for them.
  io::Task<void> stop();

 private:
  io::Task<void> accept(ListenerId id, std::shared_ptr<io::Listener> listener);
  void adopt(ListenerId from, std::unique_ptr<io::Stream> stream);

  io::Network& network_;
  io::TimerQueue& timers_;
  Limits limits_;
  Observer* observer_;
  fault::Injector* faults_;
  Dispatcher dispatcher_;
  std::shared_ptr<BufferPool> buffers_;
  io::TaskGroup tasks_;
  io::TaskGroup handlers_;
  ListenerId next_listener_ = 1;
  std::map<ListenerId, std::shared_ptr<io::Listener>> listeners_;
  uint64_t next_connection_ = 1;
  struct Accepted {
    std::shared_ptr<Connection> connection;
    ListenerId from;
  };
  std::map<uint64_t, Accepted> connections_;
};

}  // namespace pnfs::rpc
