#include "common/rpc/client.hpp"

namespace pnfs::rpc {

Client::Client(io::Network& network, io::TimerQueue& timers, Limits limits, Observer* observer)
    : network_(network),
      timers_(timers),
      limits_(limits),
      observer_(observer),
      buffers_(BufferPool::create()),
      tasks_(timers.executor()),
      handlers_(timers.executor()) {}

Client::~Client() = default;

// The attempt is a task of its own: a caller that gives up leaves it behind, and it ends by itself or with stop().
struct Client::Attempt {
  explicit Attempt(io::Executor executor) : done(executor) {}
  void finish(Result<std::unique_ptr<io::Stream>> result) {
    if (!outcome) outcome.emplace(std::move(result));
    done.notify_all();
  }
  std::optional<Result<std::unique_ptr<io::Stream>>> outcome;
  io::Event done;
};

io::Task<void> Client::attempt(std::shared_ptr<Attempt> attempt, io::Endpoint to) {
  struct Cancelled {
    Attempt& attempt;
    ~Cancelled() { attempt.finish(error(Errc::cancelled, "the client stops")); }
  } cancelled{*attempt};
  auto stream = co_await network_.connect(to);
  attempt->finish(std::move(stream));
}

io::Task<Result<std::shared_ptr<Connection>>> Client::connect(io::Endpoint to, Duration timeout) {
  if (tasks_.stopping()) co_return error(Errc::cancelled, "connecting to {}: the client stops", io::to_string(to));
  const auto attempt = std::make_shared<Attempt>(timers_.executor());
  tasks_.spawn("rpc connect", this->attempt(attempt, to));
  const auto timer = timers_.schedule_after(timeout, [attempt, to, timeout] {
    attempt->finish(error(Errc::timeout, "connecting to {}: no answer within {} ms", io::to_string(to),
                          std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
  });
  while (!attempt->outcome) {
    co_await attempt->done.wait();
  }
  timers_.cancel(timer);
  Result<std::unique_ptr<io::Stream>> stream = std::move(*attempt->outcome);
  if (!stream) co_return stream.error();
  if (tasks_.stopping()) co_return error(Errc::cancelled, "connecting to {}: the client stops", io::to_string(to));
  const Connection::Environment environment{&timers_, &tasks_, &handlers_, &dispatcher_, buffers_, limits_, observer_};
  auto connection = std::make_shared<Connection>(next_connection_++, std::move(*stream), environment);
  connections_.emplace(connection->id(), connection);
  connection->on_close([this](Connection& closed) { connections_.erase(closed.id()); });
  connection->start(false);
  co_return connection;
}

io::Task<void> Client::stop() {
  while (!connections_.empty()) {
    const auto connection = connections_.begin()->second;
    connection->close("the client stops");
  }
  handlers_.stop();
  co_await handlers_.join();
  tasks_.stop();
  co_await tasks_.join();
}

}  // namespace pnfs::rpc
