// Callbacks that state asks for: recalls of delegations and slots, hints that a lock may be free (RFC 8881 20.2, 20.8,
// 20.11).
#include <algorithm>

#include "common/compound/backchannel.hpp"
#include "mds/context.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds {

using state::StateTable;

namespace {

constexpr Duration kRecallPause = std::chrono::milliseconds(500);
// How long a waiter that was told of a free lock has it for itself (RFC 8881 9.6 allows a lease; one that was told
// comes at once, or not at all).
constexpr Duration kLockTurn = std::chrono::seconds(2);

// The client has not seen the reply that gave it the delegation, or is busy with it: worth asking again.
bool may_be_early(nfs::nfsstat4 status) {
  return status == nfs::NFS4ERR_DELAY || status == nfs::NFS4ERR_BAD_STATEID || status == nfs::NFS4ERR_BADHANDLE;
}

// Asks until the client has taken the recall: one that cannot be reached now may come back. One that never does, or goes
// on saying that it holds nothing, is dealt with when the recall is overdue.
io::Task<void> recall(Mds& mds, StateTable::Recall what, nfs::FileHandle::Wire handle) {
  bool told = false;
  while (mds.state().is_out(what.stateid)) {
    nfs::CB_RECALL4args args;
    args.stateid = what.stateid;
    args.truncate = false;
    args.fh.bytes = handle;
    compound::CallbackOps ops;
    ops.add(nfs::OP_CB_RECALL, args);
    compound::CallbackOptions options;
    options.referring.push_back(what.granted_by);
    auto reply = co_await mds.backchannel().call(what.client, std::move(ops), std::move(options));
    if (!reply) {
      if (!std::exchange(told, true))
        spdlog::info("CB_RECALL of file {} to client {:#x}: {}", what.file, what.client, reply.error().reason);
      co_await mds.timers().sleep(kRecallPause);
      continue;
    }
    if (reply->status == nfs::NFS4_OK) co_return;
    spdlog::info("CB_RECALL of file {} to client {:#x}: {}", what.file, what.client, nfs::status_name(reply->status));
    if (!may_be_early(reply->status)) co_return;
    co_await mds.timers().sleep(kRecallPause);
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

// Who did not come in its turn has lost it to the next.
io::Task<void> next_turn(Mds& mds, state::FileId file) {
  co_await mds.timers().sleep(kLockTurn);
  mds.send_lock_hints(file);
}

// A client that is idle does not hear from SEQUENCE that it shall use fewer slots, or may use more (RFC 8881 20.8).
io::Task<void> tell_target(Mds& mds, state::clientid4 client, uint32_t target) {
  compound::CallbackOps ops;
  ops.add(nfs::OP_CB_RECALL_SLOT, nfs::CB_RECALL_SLOT4args{target});
  compound::CallbackOptions options;
  options.attempts = 1;
  (void)co_await mds.backchannel().call(client, std::move(ops), std::move(options));
}

}  // namespace

void Mds::balance_slots() {
  tell_targets(sessions_->balance_slots());
}

void Mds::recall_slots(uint32_t count) {
  std::vector<session::SessionId> changed;
  sessions_->each_client([&](const session::Client& client) {
    for (const session::SessionId& id : client.sessions) {
      sessions_->session(id)->slots().set_target(count - 1);
      changed.push_back(id);
    }
  });
  std::sort(changed.begin(), changed.end());
  tell_targets(changed);
}

void Mds::tell_targets(const std::vector<session::SessionId>& changed) {
  for (const session::SessionId& id : changed) {
    const session::Session* session = sessions_->session(id);
    // The callback goes over the client's newest session and is about that one.
    if (session == nullptr || session != sessions_->back_session(session->client())) continue;
    tasks_.spawn("CB_RECALL_SLOT", tell_target(*this, session->client(), session->slots().target_highest_slot()));
  }
}

void Mds::send_recalls(std::vector<StateTable::Recall> recalls) {
  for (const StateTable::Recall& what : recalls) {
    Inode inode;
    if (!names_->get(what.file, inode)) continue;
    tasks_.spawn("CB_RECALL", recall(*this, what, handle_of(inode.fileid, inode.generation).to_wire()));
  }
}

void Mds::send_lock_hints(state::FileId file) {
  std::vector<StateTable::LockHint> hints = state_->take_lock_hints(file, seams_.timers.now(), kLockTurn);
  Inode inode;
  if (hints.empty() || !names_->get(file, inode)) return;
  tasks_.spawn("turn of a lock", next_turn(*this, file));
  for (StateTable::LockHint& what : hints) {
    tasks_.spawn("CB_NOTIFY_LOCK", hint(*this, std::move(what), handle_of(inode.fileid, inode.generation).to_wire()));
  }
}

}  // namespace pnfs::mds
