// The client's end of the back channel (RFC 8881 2.10.3.1, 20): CB_COMPOUND, CB_SEQUENCE with its slots, and a handler
// for the operations behind it.
#pragma once

#include <map>
#include <vector>

#include "common/nfs/ops.hpp"
#include "common/rpc/service.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::client {

// Runs one callback operation. `args` and `res` are the structures of common/nfs/callback.hpp for `op`; the status is
// put into the result by the caller. Runs before the answer leaves: what takes long belongs in a task of its own.
class CallbackHandler {
 public:
  virtual ~CallbackHandler() = default;
  virtual io::Task<nfs::nfsstat4> callback(nfs::nfs_cb_opnum4 op, const void* args, void* res) = 0;
};

class CallbackService final : public rpc::Service {
 public:
  static constexpr uint32_t kProgram = 0x40000000;
  static constexpr uint32_t kSlots = 4;

  struct Seen {  // for tests
    nfs::nfs_cb_opnum4 op;
    nfs::nfsstat4 status;
    size_t referring = 0;  // calls that its CB_SEQUENCE refers to
  };

  // `handler` may be null: every operation is answered NFS4_OK.
  explicit CallbackService(CallbackHandler* handler) : handler_(handler) {}
  void set_handler(CallbackHandler* handler) { handler_ = handler; }

  // Sessions that are not added are answered NFS4ERR_BADSESSION.
  void add_session(const nfs::sessionid4& id) { sessions_[id.bytes]; }
  void remove_session(const nfs::sessionid4& id) { sessions_.erase(id.bytes); }

  const std::vector<Seen>& seen() const { return seen_; }
  uint64_t replays() const { return replays_; }

  uint32_t program() const override { return kProgram; }
  uint32_t lowest_version() const override { return nfs::NFS_CB; }
  uint32_t highest_version() const override { return nfs::NFS_CB; }
  io::Task<void> handle(rpc::Request& request) override;

 private:
  struct Slot {
    uint32_t sequence = 0;
    std::shared_ptr<const std::vector<std::byte>> reply;
  };
  struct State {
    std::vector<Slot> slots = std::vector<Slot>(kSlots);
  };
  // What CB_SEQUENCE says. `replay`: the answer that was given before.
  nfs::nfsstat4 sequence(const nfs::CB_SEQUENCE4args& args, std::shared_ptr<const std::vector<std::byte>>& replay);
  io::Task<nfs::nfsstat4> run(nfs::nfs_cb_opnum4 op, rpc::Request& request, xdr::Encoder& out, bool first,
                              std::shared_ptr<const std::vector<std::byte>>& replay, nfs::CB_SEQUENCE4args& sequence);

  CallbackHandler* handler_;
  std::map<std::array<std::byte, 16>, State> sessions_;
  std::vector<Seen> seen_;
  uint64_t replays_ = 0;
};

}  // namespace pnfs::client
