#include "common/rpc/server.hpp"

namespace pnfs::rpc {

Server::Server(io::Network& network, io::TimerQueue& timers, Limits limits, Observer* observer, fault::Injector* faults)
    : network_(network),
      timers_(timers),
      limits_(limits),
      observer_(observer),
      faults_(faults),
      buffers_(BufferPool::create()),
      tasks_(timers.executor()),
      handlers_(timers.executor()) {}

Server::~Server() = default;

Result<Server::ListenerId> Server::listen(const io::Endpoint& at) {
  auto listener = network_.listen(at);
  if (!listener) return listener.error();
  return serve(std::move(*listener));
}

Server::ListenerId Server::serve(std::unique_ptr<io::Listener> listener) {
  const ListenerId id = next_listener_++;
  std::shared_ptr<io::Listener> shared = std::move(listener);
  listeners_.emplace(id, shared);
  tasks_.spawn("rpc accept", accept(id, std::move(shared)));
  return id;
}

void Server::remove_listener(ListenerId id) {
  const auto it = listeners_.find(id);
  if (it == listeners_.end()) return;
  it->second->close();
  listeners_.erase(it);
}

std::vector<io::Endpoint> Server::listening() const {
  std::vector<io::Endpoint> all;
  for (const auto& [id, listener] : listeners_) all.push_back(listener->local());
  return all;
}

std::vector<std::shared_ptr<Connection>> Server::connections() const {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [id, accepted] : connections_) all.push_back(accepted.connection);
  return all;
}

std::shared_ptr<Connection> Server::connection(uint64_t id) const {
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second.connection;
}

io::Task<void> Server::accept(ListenerId id, std::shared_ptr<io::Listener> listener) {
  while (listeners_.contains(id)) {
    auto stream = co_await listener->accept();
    if (stream) {
      adopt(id, std::move(*stream));
      continue;
    }
    if (stream.error().code == Errc::closed) break;
    // Out of file descriptors, or a connection that died while it waited: the listener itself is still good.
    if (observer_) observer_->trouble(listener->local(), stream.error().reason);
    co_await timers_.sleep(std::chrono::milliseconds(100));
  }
  listeners_.erase(id);
}

void Server::adopt(ListenerId from, std::unique_ptr<io::Stream> stream) {
  if (tasks_.stopping() || connections_.size() >= limits_.max_connections) {
    if (observer_)
      observer_->trouble(stream->local(), fmt::format("a connection from {} was not taken: the limit of {} is reached",
                                                      io::to_string(stream->remote()), limits_.max_connections));
    stream->close();
    return;
  }
  const Connection::Environment environment{&timers_, &tasks_, &handlers_, &dispatcher_,
                                            buffers_, limits_, observer_,  faults_};
  const auto connection = std::make_shared<Connection>(next_connection_++, std::move(stream), environment);
  connections_.emplace(connection->id(), Accepted{connection, from});
  connection->on_close([this](Connection& closed) { connections_.erase(closed.id()); });
  connection->start(true);
}

io::Task<void> Server::serve_until_closed(std::unique_ptr<io::Listener> listener) {
  const ListenerId id = next_listener_++;
  std::shared_ptr<io::Listener> shared = std::move(listener);
  listeners_.emplace(id, shared);
  co_await accept(id, std::move(shared));
  std::vector<std::shared_ptr<Connection>> mine;
  for (const auto& [number, accepted] : connections_)
    if (accepted.from == id) mine.push_back(accepted.connection);
  for (const auto& connection : mine) connection->close("the listener it came through was closed");
}

io::Task<void> Server::stop() {
  while (!listeners_.empty()) remove_listener(listeners_.begin()->first);
  for (const auto& connection : connections()) connection->close("the server stops");
  handlers_.stop();
  co_await handlers_.join();
  tasks_.stop();
  co_await tasks_.join();
}

}  // namespace pnfs::rpc
