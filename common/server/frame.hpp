// What every server process is made of around its server: the loop, the clock and the network that it works through,
// the trace and the capture of it, and the doors by which others look in (metrics, state socket).
//
// Threading: one thread, the loop's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/random.hpp"
#include "common/capture/network.hpp"
#include "common/io/listener_inbox.hpp"
#include "common/io/tcp_network.hpp"
#include "common/live/desk.hpp"
#include "common/live/metrics_server.hpp"
#include "common/server/options.hpp"
#include "common/trace/file_sink.hpp"

namespace pnfs::server {

class Frame {
 public:
  // `program` as in "pnfs-mds", for what is said to people; `node` for trace, capture and tables. `options` outlive it.
  Frame(std::string program, std::string node, const CommonOptions& options);

  // The trace and the capture, where they are asked for. Before anything that uses network() or trace().
  Result<void> open_records();
  // Metrics page and state socket, where they are asked for. `command` gets what no table of the desk answers.
  Result<void> open_doors(live::MetricsServer::Page page, io::ListenerInbox::Serve serve,
                          io::ListenerInbox::Command command);
  io::Task<void> close_doors();
  // Calls `stop` once, at SIGTERM or SIGINT.
  void on_signal(std::function<void()> stop);
  // Prints where clients are served.
  static void announce(const std::vector<io::Endpoint>& listening);
  // Tells whoever started the process that it serves.
  void tell_ready() const;
  // What trace and capture hold in memory is written.
  void flush();
  // Ends the loop.
  void end();
  // Prints the sentence; the exit code for it.
  int fail(const Error& error) const;

  boost::asio::io_context& context() { return context_; }
  io::Executor executor() { return context_.get_executor(); }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  io::TimerQueue& timers() { return timers_; }
  io::TcpNetwork& tcp() { return network_; }         // itself, for listeners that come from elsewhere
  io::Network& network() { return tap_.network(); }  // with the capture
  capture::Tap& tap() { return tap_; }
  trace::Sink* trace() { return trace_.get(); }  // null: none
  live::Desk& desk() { return desk_; }

 private:
  std::string program_;
  std::string node_;
  const CommonOptions& options_;
  boost::asio::io_context context_{1};
  SystemClock clock_;
  SystemRandom random_;
  io::AsioTimers timers_;
  io::TcpNetwork network_;
  capture::Tap tap_{network_};
  boost::asio::signal_set signals_;
  std::unique_ptr<trace::FileSink> trace_;
  live::Desk desk_;
  std::unique_ptr<live::MetricsServer> metrics_;
  std::unique_ptr<io::ListenerInbox> inbox_;
};

}  // namespace pnfs::server
