// PnfsServer: the verdict on a stateid that a client showed to a data server.
#include <algorithm>

#include "common/volume/volume.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

using nfs::fail;

// What the stateid lets its client do with the file, as the MDS itself would take it.
Status PnfsServer::judge_access(const cluster::StateidQuestion& question, clientid4 client, FileId file,
                                uint32_t& access) {
  if (!personality_.checks_stateids_at_ds) {
    access = personality_.grants_rw ? 3 : 1;
    return {};
  }
  const auto key = state::StateKey::from(question.stateid);
  if (key && key->kind == state::StateKind::layout)
    return fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "a layout stateid is not for I/O");
  if (auto asked = mds_.state().check_io(client, file, question.stateid, question.access); !asked) return asked;
  for (const uint32_t bit : {state::kShareRead, state::kShareWrite})
    if (mds_.state().check_io(client, file, question.stateid, bit)) access |= bit;
  return {};
}

// RFC 8881 13.9.1: the same validation as if the I/O came to the MDS, and a layout that covers it.
cluster::StateidVerdict PnfsServer::judge(const cluster::StateidQuestion& question) {
  cluster::StateidVerdict verdict;
  auto refuse = [&](Status why) {
    verdict.status = std::move(why);
    return verdict;
  };
  const auto handle = nfs::FileHandle::from_wire(question.filehandle);
  if (!handle) return refuse(fail(nfs::NFS4ERR_BADHANDLE, "15.1.2.1", "not a filehandle of this volume"));
  const FileId file = handle->fileid;
  auto inode = mds_.catalog().get(file);
  if (handle->volume_id != mds_.volume_id() || !inode ||
      static_cast<uint32_t>(inode->generation) != handle->generation)
    return refuse(fail(nfs::NFS4ERR_STALE, "15.1.2.7", "the file is gone"));
  verdict.fileid = file;
  verdict.generation = inode->generation;
  verdict.file_size = inode->size;

  std::string theirs;
  mds_.sessions().each_client([&](const session::Client& c) {
    if (!c.confirmed || c.owner != question.co_ownerid) return;
    verdict.client = c.id;
    theirs = session::to_string(c.principal);
  });
  const clientid4 client = verdict.client;
  if (client == 0)
    return refuse(fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "the MDS knows no client of this owner"));
  if (theirs != question.principal)
    return refuse(fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "the client is {} at the MDS and {} at the data server", theirs,
                       question.principal));
  if (auto status = judge_access(question, client, file, verdict.access); !status) return refuse(std::move(status));

  verdict.readable = table_.covered(client, file, false);
  verdict.writable = table_.covered(client, file, true);
  // A layout for READ does not let write, one for RW lets both (13.8).
  if (verdict.readable.empty()) verdict.access = 0;
  if (verdict.writable.empty()) verdict.access &= ~state::kShareWrite;
  if ((verdict.access & question.access) != question.access)
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "the client holds no layout of the file that allows {}",
                       (question.access & state::kShareWrite) != 0 ? "writing" : "reading"));
  const auto striping = table_.striping_of(client, file);
  if (striping == nullptr || verdict.readable.empty())
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "the client holds no layout of the file"));
  if (handle->kind == nfs::HandleKind::mds && (striping->dense || striping->handles != HandleRule::none))
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.3", "the client's layout has filehandles; this is not one of them"));

  const control::ByteRange window{verdict.readable.front().offset, verdict.readable.back().end};
  const bool dense = striping->dense;
  const uint32_t index = handle->stripe_index;
  if (dense && index >= striping->count())
    return refuse(fail(nfs::NFS4ERR_STALE, "13.11", "a filehandle of another layout: the present one is dense"));
  verdict.set = striping->set_of(question.node, window, dense ? &index : nullptr);
  // A fixed device id whose meaning changed: clients turn to the new data servers when they have heard of it, and until
  // then come as before (20.12.3). Where bytes lie does not depend on it.
  if (const auto now = devices_->find(striping->device->id); now != nullptr && now != striping->device) {
    FileStriping changed = *striping;
    changed.device = now;
    if (changed.count() == striping->count()) {
      const auto more = changed.set_of(question.node, window, dense ? &index : nullptr).indices;
      auto& indices = verdict.set.indices;
      indices.insert(indices.end(), more.begin(), more.end());
      std::ranges::sort(indices);
      indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    } else if (!dense && now->uses(question.node)) {
      verdict.set = control::StripeSet::whole(window);
    }
  }
  if (verdict.set.indices.empty())
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "the client's layout does not name this data server"));
  verdict.dense = dense;
  verdict.dense_index = dense ? index : 0;
  verdict.commit_thru_mds = striping->commit_thru_mds;
  return verdict;
}

}  // namespace pnfs::mds::layout
