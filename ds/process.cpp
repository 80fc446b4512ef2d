#include "ds/process.hpp"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <cstdlib>
#include <iostream>

#include "common/block/iscsi_block_store.hpp"
#include "common/io/listener_inbox.hpp"
#include "common/io/tcp_network.hpp"
#include "common/trace/file_sink.hpp"
#include "ds/ds.hpp"

namespace pnfs::ds {

namespace {

constexpr int kRunTimeFailure = 1;

// The same for each start of a node, another for each node: the target sees the same initiator port again (design,
// Fencing that holds).
block::Isid isid_of(std::string_view node) {
  uint32_t hash = 2166136261u;
  for (const char c : node) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return {.random = hash & 0xffffff, .qualifier = 1};
}

class Process {
 public:
  explicit Process(const ProcessOptions& options)
      : options_(options),
        timers_(context_.get_executor(), clock_),
        network_(context_),
        signals_(context_, SIGTERM, SIGINT),
        tasks_(context_.get_executor()) {}

  int run() {
    signals_.async_wait([this](boost::system::error_code ec, int) {
      if (ec) return;
      stopping_ = true;
      // Before it serves there is nothing to give back.
      if (ds_ == nullptr || !started_) std::_Exit(result_);
      auto stop = [this]() -> io::Task<void> { co_await shut_down(); };
      boost::asio::co_spawn(context_, stop(), boost::asio::detached);
    });
    boost::asio::co_spawn(context_, serve(), [this](const std::exception_ptr& failure) {
      if (failure) {
        result_ = kRunTimeFailure;
        context_.stop();
      }
    });
    context_.run();
    return result_;
  }

 private:
  io::Task<void> serve() {
    auto started = co_await start();
    if (started) {
      started_ = true;
      announce();
      co_return;
    }
    std::cerr << "pnfs-ds: " << started.error().reason << "\n";
    result_ = kRunTimeFailure;
    co_await shut_down();
  }

  io::Task<Result<void>> start() {
    if (!options_.trace.empty()) {
      auto sink = trace::FileSink::open(options_.trace, options_.server.node, timers_);
      if (!sink) co_return sink.error();
      trace_ = std::move(*sink);
    }
    block::IscsiOptions iscsi;
    iscsi.initiator_name = options_.initiator_name;
    iscsi.isid = isid_of(options_.server.node);
    auto store = co_await block::open_iscsi(context_, timers_, options_.store, iscsi);
    if (!store) co_return store.error();
    store_ = std::move(*store);
    const Seams seams{.executor = context_.get_executor(),
                      .clock = clock_,
                      .timers = timers_,
                      .random = random_,
                      .network = network_,
                      .store = *store_,
                      .trace = trace_.get()};
    ds_ = std::make_unique<Ds>(options_.server, seams);
    if (auto started = co_await ds_->start(); !started) co_return started;
    if (!options_.state_socket.empty()) {
      auto inbox = io::ListenerInbox::open(
          context_, timers_, options_.state_socket,
          [this](std::unique_ptr<io::Listener> listener) { return ds_->server().serve_until_closed(std::move(listener)); });
      if (!inbox) co_return inbox.error();
      inbox_ = std::move(*inbox);
    }
    co_return Result<void>{};
  }

  void announce() {
    for (const auto& at : ds_->server().listening()) std::cout << "listening at " << io::to_string(at) << std::endl;
    const char* from_environment = std::getenv("NOTIFY_FD");
    const int fd = options_.ready_fd >= 0 ? options_.ready_fd : from_environment ? std::atoi(from_environment) : -1;
    if (fd < 0) return;
    if (::write(fd, "ready\n", 6) != 6) spdlog::warn("nobody listens on the ready descriptor {}", fd);
    ::close(fd);
  }

  io::Task<void> shut_down() {
    if (inbox_ != nullptr) {
      inbox_->stop();
      co_await inbox_->join();
    }
    if (ds_ != nullptr) co_await ds_->stop();
    if (store_ != nullptr) co_await store_->close();
    if (trace_ != nullptr) trace_->flush();
    context_.stop();
  }

  const ProcessOptions& options_;
  boost::asio::io_context context_{1};
  SystemClock clock_;
  SystemRandom random_;
  io::AsioTimers timers_;
  io::TcpNetwork network_;
  boost::asio::signal_set signals_;
  io::TaskGroup tasks_;
  std::unique_ptr<trace::FileSink> trace_;
  std::unique_ptr<block::BlockStore> store_;
  std::unique_ptr<Ds> ds_;
  std::unique_ptr<io::ListenerInbox> inbox_;
  bool started_ = false;
  bool stopping_ = false;
  int result_ = 0;
};

}  // namespace

int run_process(const ProcessOptions& options) {
  Process process(options);
  return process.run();
}

}  // namespace pnfs::ds
