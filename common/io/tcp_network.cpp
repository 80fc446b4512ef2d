#include "common/io/tcp_network.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>

namespace pnfs::io {

namespace {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using asio::ip::tcp;

Error to_error(const boost::system::error_code& ec, std::string_view doing) {
  const bool gone = ec == asio::error::eof || ec == asio::error::operation_aborted ||
                    ec == asio::error::connection_reset || ec == asio::error::broken_pipe ||
                    ec == asio::error::bad_descriptor;
  const bool refused = ec == asio::error::connection_refused;
  return error(gone ? Errc::closed : refused ? Errc::refused : Errc::io, "{}: {}", doing, ec.message());
}

constexpr auto as_tuple_task = asio::as_tuple_t<asio::use_awaitable_t<Executor>>{use_task};

class TcpStream final : public Stream {
 public:
  explicit TcpStream(Socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    local_ = socket_.local_endpoint(ignored);
    remote_ = socket_.remote_endpoint(ignored);
  }

  Task<Result<size_t>> read_some(std::span<std::byte> into) override {
    auto [ec, count] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), as_tuple_task);
    if (ec) co_return to_error(ec, "reading from " + to_string(remote_));
    co_return count;
  }

  Task<Result<void>> write(std::span<const ConstBytes> pieces) override {
    buffers_.clear();
    for (const ConstBytes piece : pieces) buffers_.emplace_back(piece.data(), piece.size());
    auto [ec, count] = co_await asio::async_write(socket_, buffers_, as_tuple_task);
    if (ec) co_return to_error(ec, "writing to " + to_string(remote_));
    co_return Result<void>{};
  }

  void close() override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  void reset() override {
    boost::system::error_code ignored;
    socket_.set_option(tcp::socket::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  Endpoint local() const override { return local_; }
  Endpoint remote() const override { return remote_; }

 private:
  Socket socket_;
  Endpoint local_;
  Endpoint remote_;
  std::vector<asio::const_buffer> buffers_;
};

class TcpListener final : public Listener {
 public:
  explicit TcpListener(Acceptor acceptor) : acceptor_(std::move(acceptor)) {
    boost::system::error_code ignored;
    local_ = acceptor_.local_endpoint(ignored);
  }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    Socket socket(acceptor_.get_executor());
    auto [ec] = co_await acceptor_.async_accept(socket, as_tuple_task);
    if (ec) co_return to_error(ec, "accepting at " + to_string(local_));
    co_return std::unique_ptr<Stream>(std::make_unique<TcpStream>(std::move(socket)));
  }

  void close() override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

  Endpoint local() const override { return local_; }

 private:
  Acceptor acceptor_;
  Endpoint local_;
};

}  // namespace

Task<Result<std::unique_ptr<Stream>>> TcpNetwork::connect(Endpoint to) {
  Socket socket(context_.get_executor());
  auto [ec] = co_await socket.async_connect(to, as_tuple_task);
  if (ec) co_return to_error(ec, "connecting to " + to_string(to));
  co_return std::unique_ptr<Stream>(std::make_unique<TcpStream>(std::move(socket)));
}

Result<std::unique_ptr<Listener>> TcpNetwork::listen(Endpoint at) {
  Acceptor acceptor(context_.get_executor());
  boost::system::error_code ec;
  acceptor.open(at.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(at, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec == asio::error::address_in_use) {
    return error(Errc::busy, "port {} at {} is in use by another program; choose another port or stop that program",
                 at.port(), at.address().to_string());
  }
  if (ec) return error(Errc::io, "listening at {}: {}", to_string(at), ec.message());
  return std::unique_ptr<Listener>(std::make_unique<TcpListener>(std::move(acceptor)));
}

Result<std::unique_ptr<Listener>> TcpNetwork::adopt(int listening_fd) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (getsockname(listening_fd, reinterpret_cast<sockaddr*>(&name), &length) != 0)
    return error(Errc::invalid, "the file descriptor passed as a listening socket is none");
  Acceptor acceptor(context_.get_executor());
  boost::system::error_code ec;
  acceptor.assign(name.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listening_fd, ec);
  if (ec) return error(Errc::io, "taking over a listening socket: {}", ec.message());
  return std::unique_ptr<Listener>(std::make_unique<TcpListener>(std::move(acceptor)));
}

}  // namespace pnfs::io
