// What the transport tells the outside (trace, packet capture, tests). Called on the executor's thread, inside the
// transport's own work: no call back into it, no blocking.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "common/io/stream.hpp"

namespace pnfs::rpc {

class Connection;

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void opened(const Connection&) {}
  virtual void closed(const Connection&, std::string_view /*reason*/) {}
  // A connection that was not even taken (too many), or a listener that failed.
  virtual void trouble(const io::Endpoint& /*local*/, std::string_view /*reason*/) {}
  // One whole record, without marks.
  virtual void received(const Connection&, std::span<const std::byte> /*record*/) {}
  // One whole record, its mark (the first four bytes) included, when it is handed to the stream.
  virtual void sent(const Connection&, std::span<const io::ConstBytes> /*pieces*/) {}
};

}  // namespace pnfs::rpc
