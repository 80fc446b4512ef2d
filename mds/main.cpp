// pnfs-mds: the metadata server as a process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdlib>
#include <iostream>

#include "common/compound/fault_points.hpp"
#include "common/fault/engine.hpp"
#include "common/io/listener_inbox.hpp"
#include "common/io/tcp_network.hpp"
#include "common/rpc/server.hpp"
#include "common/trace/file_sink.hpp"
#include "mds/mds.hpp"
#include "mds/settings.hpp"

namespace pnfs::mds {
namespace {

constexpr int kRunTimeFailure = 1;
constexpr int kUsageFailure = 2;

int fail(const Error& error) {
  std::cerr << "pnfs-mds: " << error.reason << "\n";
  return error.code == Errc::invalid ? kUsageFailure : kRunTimeFailure;
}

void announce(const Settings& settings, rpc::Server& server) {
  for (const io::Endpoint& at : server.listening()) std::cout << "listening at " << io::to_string(at) << std::endl;
  int fd = settings.ready_fd;
  if (fd < 0) {
    const char* from_environment = std::getenv("NOTIFY_FD");
    if (from_environment == nullptr) return;
    fd = std::atoi(from_environment);
  }
  if (::write(fd, "ready\n", 6) != 6) spdlog::warn("nobody listens on the ready descriptor {}", fd);
  ::close(fd);
}

class Process {
 public:
  Process() : timers_(context_.get_executor(), clock_), network_(context_), signals_(context_, SIGTERM, SIGINT) {}

  int run(const Settings& settings, Options options) {
    if (!settings.trace.empty()) {
      auto trace = trace::FileSink::open(settings.trace, options.node, timers_);
      if (!trace) return fail(trace.error().with_context("--trace"));
      trace_ = std::move(*trace);
    }
    compound::add_nfs_points(vocabulary_);
    faults_ = std::make_unique<fault::Engine>(vocabulary_, clock_,
                                              fault::Engine::Options{options.node, settings.fault_seed, nullptr});
    for (const std::string& rule : settings.faults) {
      if (auto added = faults_->add(rule); !added) return fail(added.error().with_context("--fault"));
    }
    io::TaskGroup main(context_.get_executor());
    main.spawn("main", serve(settings, std::move(options)));
    signals_.async_wait([&](boost::system::error_code ec, int) {
      if (!ec) stopping_.notify_all(), stop_ = true;
    });
    context_.run();
    return result_;
  }

 private:
  io::Task<void> serve(const Settings& settings, Options options) {
    auto opened = co_await block::open_iscsi(context_, timers_, settings.store, iscsi_options_from(settings));
    if (!opened) {
      result_ = fail(opened.error());
      end();
      co_return;
    }
    store_ = std::move(*opened);
    const Seams seams{
        context_.get_executor(), clock_, timers_, random_, network_, *store_, trace_.get(), faults_.get()};
    mds_ = std::make_unique<Mds>(std::move(options), seams);
    mds_->on_failure([this](const Error& error) {
      result_ = fail(error);
      stop_ = true;
      stopping_.notify_all();
    });
    Result<void> started = error(Errc::cancelled, "stopped before it was up");
    if (!stop_) started = co_await mds_->start();
    if (started) started = open_inbox(settings);
    if (started) {
      announce(settings, mds_->server());
      while (!stop_) co_await stopping_.wait();
    } else {
      result_ = fail(started.error());
    }
    if (inbox_) {
      inbox_->stop();
      co_await inbox_->join();
    }
    auto stopped = co_await mds_->stop();
    if (!stopped && result_ == 0) result_ = fail(stopped.error());
    co_await store_->close();
    end();
  }

  Result<void> open_inbox(const Settings& settings) {
    if (settings.state_socket.empty()) return {};
    auto inbox = io::ListenerInbox::open(context_, timers_, settings.state_socket,
                                         [this](std::unique_ptr<io::Listener> listener) {
                                           return mds_->server().serve_until_closed(std::move(listener));
                                         });
    if (!inbox) return inbox.error().with_context("--state-socket");
    inbox_ = std::move(*inbox);
    return {};
  }

  void end() {
    if (trace_) trace_->flush();
    signals_.cancel();
    context_.stop();
  }

  io::asio::io_context context_{1};
  SystemClock clock_;
  SystemRandom random_;
  io::AsioTimers timers_;
  io::TcpNetwork network_;
  boost::asio::signal_set signals_;
  io::Event stopping_{context_.get_executor()};
  bool stop_ = false;
  std::unique_ptr<trace::FileSink> trace_;
  fault::Vocabulary vocabulary_;
  std::unique_ptr<fault::Engine> faults_;
  std::unique_ptr<block::BlockStore> store_;
  std::unique_ptr<Mds> mds_;
  std::unique_ptr<io::ListenerInbox> inbox_;
  int result_ = 0;
};

}  // namespace
}  // namespace pnfs::mds

int main(int argc, char** argv) {
  using namespace pnfs::mds;
  spdlog::set_default_logger(spdlog::stderr_color_mt("pnfs-mds"));
  Settings settings;
  CLI::App app("The metadata server of a pNFS cluster.", "pnfs-mds");
  declare(app, settings);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    std::cerr << "pnfs-mds: " << e.what() << " (see --help)\n";
    return kUsageFailure;
  }
  if (auto read = apply_config_file(app, settings); !read) {
    std::cerr << "pnfs-mds: " << read.error().reason << "\n";
    return kUsageFailure;
  }
  auto options = options_from(settings);
  if (!options) {
    std::cerr << "pnfs-mds: " << options.error().reason << "\n";
    return kUsageFailure;
  }
  Process process;
  return process.run(settings, std::move(*options));
}
