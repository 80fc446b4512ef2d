// The Stream seam: connections as servers and clients see them. TcpNetwork is the real one; MemoryNetwork
// (common/io/memory_network.hpp) joins nodes of one process with latency, loss and partitions decided from a seed.
//
// Ownership: a Stream belongs to one connection object. At most one read and one write are outstanding at a time.
// Threading: the executor's thread only. Errors: Errc::closed when either side closed, Errc::io for the rest.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <span>
#include <string>

#include "common/base/result.hpp"
#include "common/io/task.hpp"

namespace pnfs::io {

using Endpoint = asio::ip::tcp::endpoint;
using ConstBytes = std::span<const std::byte>;

class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte, or an error; 0 is never returned.
  virtual Task<Result<size_t>> read_some(std::span<std::byte> into) = 0;
  // All of it, in order. The pieces and the list of pieces must stay alive until it returns.
  virtual Task<Result<void>> write(std::span<const ConstBytes> pieces) = 0;
  // Whatever is outstanding ends with Errc::closed. May be called twice.
  virtual void close() = 0;
  // Closes with a reset instead of an orderly end (a fault action).
  virtual void reset() { close(); }
  virtual Endpoint local() const = 0;
  virtual Endpoint remote() const = 0;

  // For whoever watches the connection (common/capture). Nobody watches a plain stream: ask before making a text.
  virtual bool watched() const { return false; }
  // About bytes [begin, end) of the next write().
  virtual void remark(size_t /*begin*/, size_t /*end*/, std::string /*text*/) {}
  // About something that is not sent, now.
  virtual void remark_silence(std::string_view /*text*/) {}
  // About the close() or reset() that is to come.
  virtual void remark_end(std::string /*text*/) {}
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  virtual void close() = 0;
  virtual Endpoint local() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  // The caller bounds the wait (cancelling the coroutine closes the attempt).
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to) = 0;
  virtual Result<std::unique_ptr<Listener>> listen(Endpoint at) = 0;
};

// "10.0.0.1:2049", "[::1]:2049" or, with a default port, a bare address.
Result<Endpoint> parse_endpoint(std::string_view text, uint16_t default_port = 0);
std::string to_string(const Endpoint& endpoint);

// Exactly into.size() bytes.
Task<Result<void>> read_exactly(Stream& stream, std::span<std::byte> into);

}  // namespace pnfs::io
