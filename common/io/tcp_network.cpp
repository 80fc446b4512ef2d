#include "common/io/tcp_network.hpp"
#include "common/io/as_tuple_task.hpp"

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/as_tuple.hpp>

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

  // By hand, as much in one call as the socket takes: asio::async_write asks for 64 KiB at a time, sixteen calls for a
  // READ of 1 MiB.
  Task<Result<void>> write(std::span<const ConstBytes> pieces) override {
    unsent_.clear();
    for (const ConstBytes piece : pieces)
      if (!piece.empty()) unsent_.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    for (size_t first = 0; first < unsent_.size();) {
      msghdr message{};
      message.msg_iov = &unsent_[first];
      message.msg_iovlen = std::min<size_t>(unsent_.size() - first, IOV_MAX);
      const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0) {
        first = skip_sent(first, static_cast<size_t>(sent));
        continue;
      }
      if (errno == EINTR) continue;
      boost::system::error_code ec(errno, boost::system::system_category());
      if (errno == EAGAIN) {
        auto [waited] = co_await socket_.async_wait(tcp::socket::wait_write, as_tuple_task);
        ec = waited;
      }
      if (ec) co_return to_error(ec, "writing to " + to_string(remote_));
    }
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
  // The first piece that is not wholly sent, and what is left of it.
  size_t skip_sent(size_t first, size_t bytes) {
    while (bytes > 0) {
      iovec& piece = unsent_[first];
      const size_t taken = std::min(bytes, piece.iov_len);
      piece.iov_base = static_cast<std::byte*>(piece.iov_base) + taken;
      piece.iov_len -= taken;
      bytes -= taken;
      if (piece.iov_len == 0) ++first;
    }
    return first;
  }

  Socket socket_;
  Endpoint local_;
  Endpoint remote_;
  std::vector<iovec> unsent_;
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
