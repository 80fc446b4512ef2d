// What the shared parts of NFSv4.1 ask of this role about filehandles and replies.
#include "common/rpc/connection.hpp"
#include "common/volume/volume.hpp"
#include "mds/context.hpp"
#include "mds/ops/op_table.hpp"

namespace pnfs::mds {

using nfs::fail;

const compound::OpTableBase& Mds::ops() const {
  return mds_operations();
}

nfs::Status Mds::admit(compound::Context& context) {
  if (options_.exports.find(context.connection().remote().address()) != nullptr) return {};
  return fail(nfs::NFS4ERR_ACCESS, "2.6", "no export rule is for {}", io::to_string(context.connection().remote()));
}

nfs::Status Mds::check_filehandle(compound::Context&, std::span<const std::byte> fh) {
  const auto handle = nfs::FileHandle::from_wire(fh);
  if (!handle) return fail(nfs::NFS4ERR_BADHANDLE, "15.1.2.1", "this server never made such a filehandle");
  if (handle->kind != nfs::HandleKind::mds) {
    return fail(nfs::NFS4ERR_BADHANDLE, "13.7", "the filehandle of file {} is for data servers only", handle->fileid);
  }
  if (handle->volume_id != volume_id_) {
    return fail(nfs::NFS4ERR_STALE, "15.1.2.6", "the filehandle is of volume {:016x}, this server has {:016x}",
                handle->volume_id, volume_id_);
  }
  Inode inode;
  return names_->get(handle->fileid, handle->generation, inode);
}

nfs::Status Mds::put_root(compound::Context& context) {
  Inode root;
  if (nfs::Status status = names_->get(volume::kRootFileId, root); !status) {
    return fail(nfs::NFS4ERR_SERVERFAULT, "15.1.1.6", "the volume has no root directory: {}", status.reason);
  }
  static_cast<MdsContext&>(context).set_current_inode(root);
  return {};
}

void Mds::describe_current(compound::Context& context, compound::TraceFields& fields) {
  if (!context.current.set) return;
  if (const auto handle = nfs::FileHandle::from_wire(context.current.bytes())) fields.fileid = handle->fileid;
}

// Durable at the data servers too: what before_reply() waits for.
bool Mds::is_durable(uint64_t ticket) {
  return pnfs_->settled() && catalog().is_durable(ticket);
}

io::Task<nfs::Status> Mds::before_reply(compound::Context& context) {
  // What has died here must be dead at every data server before anybody hears of it (RFC 8881 13.9.2). A lone SEQUENCE
  // tells of nothing.
  if (!pnfs_->settled() && !(context.in_session() && context.op_count == 1)) {
    const auto handle = context.current.set ? nfs::FileHandle::from_wire(context.current.bytes()) : std::nullopt;
    co_await pnfs_->settle(handle ? handle->fileid : 0);
  }
  const uint64_t ticket = context.durable_ticket();
  if (catalog().is_durable(ticket)) co_return nfs::Status{};
  auto durable = co_await catalog().durable(ticket);
  if (!durable) co_return volume_status(durable.error());
  co_return nfs::Status{};
}

}  // namespace pnfs::mds
