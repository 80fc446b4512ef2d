// One incoming call from its last byte's arrival until its reply has left. Owns the record, the arena that everything
// decoded and encoded lives in, and whatever the reply refers to (hold).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/arena.hpp"
#include "common/base/clock.hpp"
#include "common/rpc/buffer_pool.hpp"
#include "common/rpc/message.hpp"
#include "common/xdr/decoder.hpp"
#include "common/xdr/encoder.hpp"

namespace pnfs::rpc {

class Connection;

// What a fault does to a message on its way out, and what is to be said about it (io::Stream::remark).
struct Treatment {
  uint32_t duplicate = 0;
  uint32_t behind = 0;
  std::string remark;
};
inline constexpr Duration kHeldAtMost = std::chrono::seconds(5);

// The service builds at most one reply during handle(); it leaves when handle() returns. No reply and no drop() is
// answered SYSTEM_ERR. Starting a second reply forgets the first (a fault that replaces a result).
class Request {
 public:
  Request(std::shared_ptr<Connection> from, Buffer record, size_t record_bytes);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const CallHeader& header() const { return header_; }
  uint32_t xid() const { return header_.xid; }
  uint32_t program() const { return header_.program; }
  uint32_t version() const { return header_.version; }
  uint32_t procedure() const { return header_.procedure; }
  const Credential& credential() const { return header_.credential; }
  // Never null; may be closed by now (the reply is then thrown away, which handlers need not care about).
  const std::shared_ptr<Connection>& connection() const { return connection_; }

  Arena& arena() { return arena_; }
  xdr::Decoder& args() { return args_; }
  std::span<const std::byte> record() const { return {record_.data(), record_bytes_}; }
  // The arguments' bytes, wherever args() has got to.
  std::span<const std::byte> args_bytes() const { return record().subspan(args_offset_); }

  // A successful reply: encode the results into what this returns. Opaque data of xdr::Encoder::kReferenceBytes or
  // more is not copied and must live until the reply is sent: in arena(), in the record, or kept with hold().
  xdr::Encoder& begin_reply();
  // Results that were encoded before (a reply cache).
  void reply_encoded(std::shared_ptr<const std::vector<std::byte>> results);
  // PROG_UNAVAIL, PROC_UNAVAIL, GARBAGE_ARGS, SYSTEM_ERR.
  void reply_error(accept_stat status);
  void reply_version_mismatch(uint32_t low, uint32_t high);
  void reply_auth_error(auth_stat why);
  void reply_rpc_mismatch();
  // No reply at all: the peer will time out.
  void drop();
  // Fault actions on a reply that leaves: send it so many times more; let so many later replies of the connection
  // overtake it (or kHeldAtMost pass).
  void duplicate(uint32_t times) { treatment_.duplicate = times; }
  void hold_behind(uint32_t replies) { treatment_.behind = replies; }
  // What a packet capture says about the reply, or about there being none. For connections that are watched.
  void remark(std::string_view text) { treatment_.remark += (treatment_.remark.empty() ? "" : "; ") + std::string(text); }

  // Kept alive until the reply has been sent or thrown away.
  void hold(std::shared_ptr<const void> what) { held_.push_back(std::move(what)); }

  bool replied() const { return encoder_ != nullptr; }
  bool dropped() const { return dropped_; }
  // The results of a successful reply so far, as one block (what a reply cache keeps).
  std::vector<std::byte> copy_results();
  // Replaces the results byte for byte (fault actions on the encoded reply).
  void replace_results(std::vector<std::byte> results);

 private:
  friend class Connection;
  xdr::Encoder& begin(const ReplyHeader& header);
  // Reads the header. An error: this record is no call that could be answered.
  Result<void> parse();
  // The whole record with its mark (RFC 5531 11).
  std::span<const std::span<const std::byte>> finish();

  std::shared_ptr<Connection> connection_;
  Buffer record_;
  size_t record_bytes_;
  Arena arena_;
  xdr::Decoder args_;
  size_t args_offset_ = 0;
  CallHeader header_;
  std::unique_ptr<xdr::Encoder> encoder_;
  xdr::Encoder::Slot mark_ = nullptr;
  size_t results_offset_ = 0;
  std::vector<std::shared_ptr<const void>> held_;
  bool dropped_ = false;
  Treatment treatment_;
};

}  // namespace pnfs::rpc
