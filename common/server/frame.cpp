#include "common/server/frame.hpp"

#include <spdlog/spdlog.h>

#include <iostream>

#include "common/base/ready.hpp"

namespace pnfs::server {

Frame::Frame(std::string program, std::string node, const CommonOptions& options)
    : program_(std::move(program)),
      node_(std::move(node)),
      options_(options),
      timers_(context_.get_executor(), clock_),
      network_(context_),
      signals_(context_, SIGTERM, SIGINT),
      desk_(node_) {
  spdlog::set_level(spdlog::level::from_str(options.log_level));
}

Result<void> Frame::open_records() {
  if (!options_.trace.empty()) {
    auto trace = trace::FileSink::open(options_.trace, node_, timers_);
    if (!trace) return trace.error().with_context("--trace");
    trace_ = std::move(*trace);
  }
  return tap_.open(options_.capture, node_, timers_);
}

Result<void> Frame::open_doors(live::MetricsServer::Page page, io::ListenerInbox::Serve serve,
                               io::ListenerInbox::Command command) {
  if (!options_.metrics.empty()) {
    const auto at = live::parse_metrics_address(options_.metrics);
    if (!at) return at.error().with_context("--metrics");
    auto metrics = live::MetricsServer::open(network_, timers_, *at, std::move(page));
    if (!metrics) return metrics.error().with_context("--metrics");
    metrics_ = std::move(*metrics);
  }
  if (options_.state_socket.empty()) return {};
  auto watched = [this, serve = std::move(serve)](std::unique_ptr<io::Listener> listener) {
    return serve(tap_.watch(std::move(listener)));
  };
  auto obey = [this, command = std::move(command)](std::string_view text) {
    return live::Desk::is_command(text) ? desk_.command(text) : command(text);
  };
  auto inbox = io::ListenerInbox::open(context_, timers_, options_.state_socket, std::move(watched), std::move(obey));
  if (!inbox) return inbox.error().with_context("--state-socket");
  inbox_ = std::move(*inbox);
  return {};
}

io::Task<void> Frame::close_doors() {
  if (inbox_) {
    inbox_->stop();
    co_await inbox_->join();
  }
  if (metrics_) {
    metrics_->stop();
    co_await metrics_->join();
  }
}

void Frame::on_signal(std::function<void()> stop) {
  signals_.async_wait([stop = std::move(stop)](boost::system::error_code ec, int) {
    if (!ec) stop();
  });
}

void Frame::announce(const std::vector<io::Endpoint>& listening) {
  for (const io::Endpoint& at : listening) std::cout << "listening at " << io::to_string(at) << std::endl;
}

void Frame::tell_ready() const {
  if (auto told = pnfs::tell_ready(options_.ready_fd); !told) spdlog::warn("{}", told.error().reason);
}

void Frame::flush() {
  if (trace_) trace_->flush();
  tap_.flush();
}

void Frame::end() {
  flush();
  signals_.cancel();
  context_.stop();
}

int Frame::fail(const Error& error) const {
  return server::fail(program_, error);
}

}  // namespace pnfs::server
