#include "common/live/metrics_server.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>

#include "common/live/metrics.hpp"

namespace pnfs::live {

namespace http = boost::beast::http;

namespace {

// What the request deserves, as bytes.
std::string respond(const http::request<http::empty_body>& request, const MetricsServer::Page& page) {
  const auto target = request.target().substr(0, request.target().find('?'));
  http::response<http::string_body> response;
  response.version(11);
  response.set(http::field::server, "pnfslab");
  response.set(http::field::connection, "close");
  const bool known = request.method() == http::verb::get || request.method() == http::verb::head;
  if (!known) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
    response.body() = "only GET\n";
  } else if (target != "/metrics") {
    response.result(http::status::not_found);
    response.body() = "the page is /metrics\n";
  } else {
    response.result(http::status::ok);
    response.body() = page();
  }
  response.set(http::field::content_type, response.result() == http::status::ok ? kMetricsType : "text/plain");
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  std::ostringstream out;
  out << response.base() << response.body();
  return std::move(out).str();
}

// Closes a peer that takes too long, and is taken back with the coroutine, however that ends.
struct Limit {
  Limit(io::TimerQueue& queue, io::Stream& peer)
      : timers(queue), id(queue.schedule_after(MetricsServer::kTimeout, [&peer] { peer.close(); })) {}
  ~Limit() { timers.cancel(id); }
  io::TimerQueue& timers;
  io::TimerQueue::Id id;
};

}  // namespace

Result<io::Endpoint> parse_metrics_address(std::string_view text) {
  const bool only_port = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  auto endpoint = io::parse_endpoint(only_port ? fmt::format("127.0.0.1:{}", text) : std::string(text));
  if (!endpoint) return endpoint.error();
  if (!endpoint->address().is_loopback())
    return error(Errc::invalid, "{} is no loopback address; metrics are served to this machine only (a proxy may pass them on)",
                 endpoint->address().to_string());
  return *endpoint;
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(io::Network& network, io::TimerQueue& timers,
                                                           const io::Endpoint& at, Page page) {
  auto listener = network.listen(at);
  if (!listener) return listener.error();
  std::unique_ptr<MetricsServer> server(new MetricsServer(timers, std::move(*listener), std::move(page)));
  server->tasks_.spawn("metrics", server->accept_loop());
  return server;
}

MetricsServer::MetricsServer(io::TimerQueue& timers, std::unique_ptr<io::Listener> listener, Page page)
    : timers_(timers), listener_(std::move(listener)), page_(std::move(page)), tasks_(timers.executor()) {}

MetricsServer::~MetricsServer() = default;

void MetricsServer::stop() {
  listener_->close();
  tasks_.stop();
}

io::Task<void> MetricsServer::accept_loop() {
  for (;;) {
    auto stream = co_await listener_->accept();
    if (!stream && stream.error().code == Errc::closed) co_return;
    if (!stream) {
      co_await timers_.sleep(std::chrono::milliseconds(100));
      continue;
    }
    if (tasks_.size() <= kMostConnections) tasks_.spawn("metrics request", answer(std::move(*stream)));
  }
}

io::Task<void> MetricsServer::answer(std::unique_ptr<io::Stream> stream) {
  io::Stream& peer = *stream;
  const Limit limit(timers_, peer);
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMostRequestBytes);
  std::string received;  // and not parsed yet
  boost::system::error_code problem = http::error::need_more;
  while (problem == http::error::need_more) {
    std::array<std::byte, 2048> piece;
    const auto got = co_await peer.read_some(piece);
    if (!got) break;
    received.append(reinterpret_cast<const char*>(piece.data()), *got);
    problem = {};
    received.erase(0, parser.put(boost::asio::buffer(received), problem));
    if (!problem && !parser.is_header_done()) problem = http::error::need_more;
  }
  if (!problem && parser.is_header_done()) {
    const std::string text = respond(parser.get(), page_);
    const io::ConstBytes pieces[] = {std::as_bytes(std::span(text))};
    (void)co_await peer.write(pieces);
  }
  peer.close();
}

}  // namespace pnfs::live
