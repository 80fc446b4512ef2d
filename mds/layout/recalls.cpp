// PnfsServer: sending CB_LAYOUTRECALL and seeing it through (RFC 8881 12.5.5, 20.3).
#include "common/nfs/callback.hpp"
#include "common/volume/volume.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

namespace {

using namespace std::chrono_literals;

constexpr Duration kDelayPause = 500ms;  // after the client answered DELAY

}  // namespace

void PnfsServer::send(std::vector<LayoutRecall> recalls) {
  for (auto& recall : recalls) {
    auto inode = mds_.catalog().get(recall.file);
    const uint64_t generation = inode ? inode->generation : 0;
    tasks_.spawn("recall a layout", recall_one(std::move(recall), generation));
  }
}

void PnfsServer::recall(FileId file, clientid4 client) {
  if (!personality_.recalls) return;
  const TimePoint now = mds_.seams().clock.now();
  std::vector<LayoutRecall> recalls;
  if (file != 0) {
    recalls = table_.recall_file(file, {}, nfs::LAYOUTIOMODE4_ANY, now, 0, client);
  } else {
    recalls = table_.recall_if([](const FileStriping&) { return true; }, now, client);
  }
  send(std::move(recalls));
}

void PnfsServer::recall_bulk(clientid4 client, BulkScope scope) {
  if (!personality_.recalls || !table_.recall_bulk(client, scope, mds_.seams().clock.now())) return;
  tasks_.spawn("recall a client's layouts", recall_all_of(client, scope));
}

io::Task<void> PnfsServer::recall_one(LayoutRecall recall, uint64_t generation) {
  const auto handle = mds_.handle_of(recall.file, generation).to_wire();
  for (;;) {
    if (!table_.recall_outstanding(recall.client, recall.file)) co_return;
    nfs::CB_LAYOUTRECALL4args args;
    args.clora_iomode = recall.iomode;
    args.clora_changed = false;
    args.clora_recall.lor_recalltype = nfs::LAYOUTRECALL4_FILE;
    auto& which = args.clora_recall.lor_layout;
    which.lor_fh.bytes = handle;
    which.lor_offset = recall.range.offset;
    which.lor_length = recall.range.end == control::kToEnd ? nfs::NFS4_UINT64_MAX : recall.range.length();
    which.lor_stateid = recall.stateid;
    compound::CallbackOps ops;
    ops.add(nfs::OP_CB_LAYOUTRECALL, args);
    compound::CallbackOptions options;
    for (const auto& name : table_.granting_requests(recall.client, recall.file)) {
      const session::Session* session = mds_.sessions().session(name.session);
      if (session != nullptr && !session->slots().seen(name.slot, name.sequence)) options.referring.push_back(name);
    }
    auto answer = co_await mds_.backchannel().call(recall.client, std::move(ops), std::move(options));
    if (!answer) co_return;  // watch_recalls() ends it when the lease has passed
    switch (answer->status) {
      case nfs::NFS4_OK:
        table_.recall_answered(recall.client, recall.file, true);
        co_return;
      case nfs::NFS4ERR_DELAY:
        co_await mds_.seams().timers.sleep(kDelayPause);
        continue;
      case nfs::NFS4ERR_NOMATCHING_LAYOUT:
      case nfs::NFS4ERR_BAD_STATEID:
      case nfs::NFS4ERR_BADHANDLE:
        // The client holds nothing of it (12.5.5.1: it may have forgotten).
        table_.recall_answered(recall.client, recall.file, false);
        returned(recall.client, recall.file);
        co_return;
      default:
        spdlog::debug("CB_LAYOUTRECALL of file {}: the client answered {}", recall.file,
                      nfs::status_name(answer->status));
        co_return;
    }
  }
}

io::Task<void> PnfsServer::recall_all_of(clientid4 client, BulkScope scope) {
  for (;;) {
    nfs::CB_LAYOUTRECALL4args args;
    args.clora_iomode = nfs::LAYOUTIOMODE4_ANY;
    args.clora_recall.lor_recalltype = scope == BulkScope::all ? nfs::LAYOUTRECALL4_ALL : nfs::LAYOUTRECALL4_FSID;
    args.clora_recall.lor_fsid = {mds_.volume_id(), 0};
    compound::CallbackOps ops;
    ops.add(nfs::OP_CB_LAYOUTRECALL, args);
    auto answer = co_await mds_.backchannel().call(client, std::move(ops), {});
    if (!answer) co_return;
    if (answer->status == nfs::NFS4ERR_DELAY) {
      co_await mds_.seams().timers.sleep(kDelayPause);
      continue;
    }
    const bool will_return = answer->status == nfs::NFS4_OK;
    table_.bulk_answered(client, will_return);
    if (!will_return) cluster_->revoke_verdicts_later(cluster_->verdicts().of_client_everywhere(client));
    co_return;
  }
}

// 12.5.5: a client that has not returned a recalled layout within a lease loses it.
io::Task<void> PnfsServer::watch_recalls() {
  const Duration lease = mds_.options().lease;
  for (;;) {
    co_await mds_.seams().timers.sleep(std::max<Duration>(lease / 8, 100ms));
    const TimePoint now = mds_.seams().clock.now();
    for (const auto& recall : table_.revoke_overdue(now - lease, now)) {
      spdlog::warn("a layout of file {} was recalled a lease ago and has not come back: revoked", recall.file);
      mds_.tell_ended("layout.revoked", recall.client, recall.file, "", "recalled a lease ago and not returned");
      returned(recall.client, recall.file);
    }
    if (!personality_.revoked_until_freed) table_.forget_revoked(now - lease);
    for (const FileId file : table_.files())
      if (auto inode = mds_.catalog().get(file); !inode && inode.error().code == Errc::not_found) table_.drop_file(file);
    retire_devices();
  }
}

}  // namespace pnfs::mds::layout
