// The metrics endpoint of a server process: HTTP/1.1, GET /metrics, one answer for each connection. Off unless asked
// for, and on a loopback address only: it tells names of clients and files to whoever asks.
//
// Threading: the executor's thread. Life: open(), then stop() and join() before it is destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/io/stream.hpp"
#include "common/io/task_group.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::live {

// "9100" or "127.0.0.1:9100" as --metrics takes it. invalid when it is no loopback address.
Result<io::Endpoint> parse_metrics_address(std::string_view text);

class MetricsServer {
 public:
  static constexpr size_t kMostConnections = 16;
  static constexpr size_t kMostRequestBytes = 8192;
  static constexpr Duration kTimeout = std::chrono::seconds(5);  // for a whole exchange

  // `page` gives the text of now; it must not suspend.
  using Page = std::function<std::string()>;
  static Result<std::unique_ptr<MetricsServer>> open(io::Network& network, io::TimerQueue& timers,
                                                     const io::Endpoint& at, Page page);
  ~MetricsServer();

  io::Endpoint local() const { return listener_->local(); }
  void stop();
  io::Task<void> join() { return tasks_.join(); }

 private:
  MetricsServer(io::TimerQueue& timers, std::unique_ptr<io::Listener> listener, Page page);
  io::Task<void> accept_loop();
  io::Task<void> answer(std::unique_ptr<io::Stream> stream);

  io::TimerQueue& timers_;
  std::unique_ptr<io::Listener> listener_;
  Page page_;
  io::TaskGroup tasks_;
};

}  // namespace pnfs::live
