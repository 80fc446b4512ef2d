// Building COMPOUND requests operation by operation, and walking their replies.
//
//   auto c = Compound::in_session();
//   c->add(OP_PUTFH, PUTFH4args{fh}).add(OP_GETATTR, GETATTR4args{mask});
//   auto reply = co_await session.run(c);                        // SEQUENCE is put in front by the session
//   (*reply)->ok(OP_PUTFH);
//   const auto& attributes = (*reply)->get<GETATTR4res>(OP_GETATTR);
//   if ((*reply)->failure()) ...                                 // the first thing that went wrong
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "common/nfs/ops.hpp"
#include "common/rpc/connection.hpp"
#include "common/xdr/codec.hpp"
#include "common/xdr/field_view.hpp"
#include "testbed/client/outcome.hpp"

namespace pnfs::client {

class Compound {
 public:
  static std::shared_ptr<Compound> in_session(std::string_view tag = "", uint32_t minorversion = 1);
  // Without SEQUENCE: EXCHANGE_ID, CREATE_SESSION and what a test wants to get wrong.
  static std::shared_ptr<Compound> bare(std::string_view tag = "", uint32_t minorversion = 1);

  // Arguments are encoded at once. Opaque data of 1 KiB or more is referenced: it must live as long as the compound
  // (hold).
  template <class Args>
  Compound& add(nfs::nfs_opnum4 op, const Args& args) {
    begin(op);
    xdr::encode(encoder_, args);
    return *this;
  }
  // For the operations without arguments.
  Compound& add(nfs::nfs_opnum4 op) {
    begin(op);
    return *this;
  }
  Compound& putfh(std::span<const std::byte> fh);
  // Whatever bytes a test thinks of, as the next operation.
  Compound& raw(uint32_t op, std::span<const std::byte> encoded);
  void hold(std::shared_ptr<const void> what) { held_.push_back(std::move(what)); }
  // The reply cache shall keep this request's reply (RFC 8881 2.10.6.1.3).
  Compound& cache() {
    cache_this_ = true;
    return *this;
  }

  uint32_t op_count() const { return count_; }
  bool with_sequence() const { return with_sequence_; }
  bool cache_this() const { return cache_this_; }

  // Used by Session. Fills in SEQUENCE.
  void set_sequence(const nfs::SEQUENCE4args& args);
  // A call that carries this compound; may be made again for a retry.
  static std::unique_ptr<rpc::Call> make_call(const std::shared_ptr<Compound>& compound,
                                              const rpc::Credential& credential);

  Compound(std::string_view tag, uint32_t minorversion, bool with_sequence);

 private:
  void begin(uint32_t op);

  Arena arena_;
  xdr::Encoder encoder_;
  xdr::Encoder::Slot count_slot_;
  std::array<xdr::Encoder::Slot, 8> sequence_{};
  uint32_t count_ = 0;
  bool with_sequence_;
  bool cache_this_ = false;
  std::vector<std::shared_ptr<const void>> held_;
};

// Keeps the first failure; whatever is asked for after it comes back as default values.
class CompoundReply {
 public:
  explicit CompoundReply(std::unique_ptr<rpc::Reply> reply);

  nfs::nfsstat4 status() const { return head_.status; }
  uint32_t op_count() const { return head_.resarray_count; }
  const std::optional<Failure>& failure() const { return failure_; }
  // All of the compound succeeded and was readable so far.
  explicit operator bool() const { return !failure_ && head_.status == nfs::NFS4_OK; }

  // The next result, which must be that of `op`. Views in it live as long as this reply.
  template <class Res>
  const Res& get(nfs::nfs_opnum4 op) {
    Res* res = reply_->arena().template make<Res>();
    if (!begin(op)) return *res;
    if (!xdr::decode(reply_->results(), *res)) return malformed(op), *reply_->arena().template make<Res>();
    check(op, *reinterpret_cast<const nfs::nfsstat4*>(res));
    return *res;
  }
  // A result without anything but its status.
  void ok(nfs::nfs_opnum4 op);
  // The same as get() for an operation that is known by number only; no value when it cannot be read.
  xdr::FieldView view(nfs::nfs_opnum4 op);
  Arena& arena() { return reply_->arena(); }

 private:
  bool begin(nfs::nfs_opnum4 op);
  void malformed(nfs::nfs_opnum4 op);
  void check(nfs::nfs_opnum4 op, nfs::nfsstat4 status);

  std::unique_ptr<rpc::Reply> reply_;
  nfs::CompoundResHead head_;
  uint32_t taken_ = 0;
  std::optional<Failure> failure_;
};

using ReplyPtr = std::unique_ptr<CompoundReply>;

}  // namespace pnfs::client
