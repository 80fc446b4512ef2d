#include "testbed/client/callback_service.hpp"

#include "common/nfs/op_info.hpp"

namespace pnfs::client {

using namespace nfs;

namespace {
using Bytes = std::shared_ptr<const std::vector<std::byte>>;
}

nfsstat4 CallbackService::sequence(const CB_SEQUENCE4args& args, Bytes& replay) {
  const auto it = sessions_.find(args.csa_sessionid.bytes);
  if (it == sessions_.end()) return NFS4ERR_BADSESSION;
  if (args.csa_slotid >= kSlots) return NFS4ERR_BADSLOT;
  Slot& slot = it->second.slots[args.csa_slotid];
  if (args.csa_sequenceid == slot.sequence && slot.reply) {
    replay = slot.reply;
    ++replays_;
    return NFS4_OK;
  }
  if (args.csa_sequenceid == slot.sequence) return NFS4ERR_DELAY;  // the first one still runs
  if (args.csa_sequenceid != slot.sequence + 1) return NFS4ERR_SEQ_MISORDERED;
  slot.sequence = args.csa_sequenceid;
  slot.reply.reset();
  return NFS4_OK;
}

io::Task<nfsstat4> CallbackService::run(nfs_cb_opnum4 op, rpc::Request& request, xdr::Encoder& out, bool first,
                                        Bytes& replay, CB_SEQUENCE4args& sequence_args) {
  const OpInfo* info = find_callback(static_cast<uint32_t>(op));
  if (info == nullptr || op == OP_CB_ILLEGAL) {
    out.u32(OP_CB_ILLEGAL);
    out.u32(NFS4ERR_OP_ILLEGAL);
    co_return NFS4ERR_OP_ILLEGAL;
  }
  void* args = request.arena().allocate(info->args->bytes);
  void* res = request.arena().allocate(info->res->bytes);
  std::memset(args, 0, info->args->bytes);
  std::memset(res, 0, info->res->bytes);
  out.u32(op);
  nfsstat4 status = NFS4_OK;
  if (!info->args->decode(request.args(), args)) {
    status = NFS4ERR_BADXDR;
  } else if (op == OP_CB_SEQUENCE) {
    if (!first) {
      status = NFS4ERR_SEQUENCE_POS;
    } else {
      sequence_args = *static_cast<CB_SEQUENCE4args*>(args);
      status = sequence(sequence_args, replay);
      auto& ok = static_cast<CB_SEQUENCE4res*>(res)->csr_resok4;
      ok.csr_sessionid = sequence_args.csa_sessionid;
      ok.csr_sequenceid = sequence_args.csa_sequenceid;
      ok.csr_slotid = sequence_args.csa_slotid;
      ok.csr_highest_slotid = ok.csr_target_highest_slotid = kSlots - 1;
    }
  } else if (first) {
    status = NFS4ERR_OP_NOT_IN_SESSION;
  } else if (handler_ != nullptr) {
    status = co_await handler_->callback(op, args, res);
  }
  OpInfo::set_status(res, status);
  info->res->encode(out, res);
  size_t referring = 0;
  for (const auto& list : sequence_args.csa_referring_call_lists) referring += list.rcl_referring_calls.size();
  seen_.push_back({op, status, referring});
  co_return status;
}

io::Task<void> CallbackService::handle(rpc::Request& request) {
  CbCompoundArgsHead head;
  if (request.procedure() != CB_COMPOUND) {
    request.reply_error(rpc::PROC_UNAVAIL);
    co_return;
  }
  if (!xdr::decode(request.args(), head)) {
    request.reply_error(rpc::GARBAGE_ARGS);
    co_return;
  }
  xdr::Encoder& out = request.begin_reply();
  const auto status_slot = out.reserve_u32();
  out.variable(std::as_bytes(std::span(head.tag.text)));
  const auto count_slot = out.reserve_u32();
  nfsstat4 status = head.minorversion == 1 ? NFS4_OK : NFS4ERR_MINOR_VERS_MISMATCH;
  uint32_t done = 0;
  Bytes replay;
  CB_SEQUENCE4args sequence_args;
  for (; done < head.argarray_count && status == NFS4_OK && !replay; ++done) {
    uint32_t op = 0;
    if (!request.args().u32(op)) {
      status = NFS4ERR_BADXDR;
      break;
    }
    status = co_await run(static_cast<nfs_cb_opnum4>(op), request, out, done == 0, replay, sequence_args);
  }
  if (replay) {
    request.reply_encoded(std::move(replay));
    co_return;
  }
  xdr::Encoder::patch(status_slot, status);
  xdr::Encoder::patch(count_slot, done);
  // Kept for a retry, whether the server asked for it or not.
  const auto it = sessions_.find(sequence_args.csa_sessionid.bytes);
  if (it != sessions_.end() && sequence_args.csa_slotid < kSlots) {
    Slot& slot = it->second.slots[sequence_args.csa_slotid];
    if (slot.sequence == sequence_args.csa_sequenceid)
      slot.reply = std::make_shared<const std::vector<std::byte>>(request.copy_results());
  }
}

}  // namespace pnfs::client
