// Callbacks that state asks for: recalls of delegations, hints that a lock may be free (RFC 8881 20.2, 20.11).
#include "common/compound/backchannel.hpp"
#include "mds/context.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds {

using state::StateTable;

namespace {

io::Task<void> recall(Mds& mds, StateTable::Recall what, nfs::FileHandle::Wire handle) {
  nfs::CB_RECALL4args args;
  args.stateid = what.stateid;
  args.truncate = false;
  args.fh.bytes = handle;
  compound::CallbackOps ops;
  ops.add(nfs::OP_CB_RECALL, args);
  auto reply = co_await mds.backchannel().call(what.client, std::move(ops));
  // A client that cannot be reached, or says that it holds nothing, is dealt with when the recall is overdue.
  if (!reply) {
    spdlog::info("CB_RECALL of file {} to client {:#x}: {}", what.file, what.client, reply.error().reason);
  } else if (reply->status != nfs::NFS4_OK) {
    spdlog::info("CB_RECALL of file {} to client {:#x}: {}", what.file, what.client, nfs::status_name(reply->status));
  }
}

io::Task<void> hint(Mds& mds, StateTable::LockHint what, nfs::FileHandle::Wire handle) {
  nfs::CB_NOTIFY_LOCK4args args;
  args.cnla_fh.bytes = handle;
  args.cnla_lock_owner.clientid = what.client;
  args.cnla_lock_owner.owner.bytes = std::as_bytes(std::span(what.owner));
  compound::CallbackOps ops;
  ops.add(nfs::OP_CB_NOTIFY_LOCK, args);
  // A hint only: the client asks again anyway.
  (void)co_await mds.backchannel().call(what.client, std::move(ops));
}

}  // namespace

void Mds::send_recalls(std::vector<StateTable::Recall> recalls) {
  for (const StateTable::Recall& what : recalls) {
    Inode inode;
    if (!names_->get(what.file, inode)) continue;
    tasks_.spawn("CB_RECALL", recall(*this, what, handle_of(inode.fileid, inode.generation).to_wire()));
  }
}

void Mds::send_lock_hints(state::FileId file) {
  for (StateTable::LockHint& what : state_->take_lock_hints(file, seams_.timers.now())) {
    Inode inode;
    if (!names_->get(what.file, inode)) continue;
    tasks_.spawn("CB_NOTIFY_LOCK", hint(*this, std::move(what), handle_of(inode.fileid, inode.generation).to_wire()));
  }
}

}  // namespace pnfs::mds
