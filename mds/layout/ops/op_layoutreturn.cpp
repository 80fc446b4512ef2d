// LAYOUTRETURN (RFC 8881 18.44).
//
// NFS4ERR_NOFILEHANDLE, _STALE   FILE and FSID: the current filehandle
// NFS4ERR_UNKNOWN_LAYOUTTYPE  not a layout type of this server
// NFS4ERR_WRONG_TYPE          FILE: not a regular file
// NFS4ERR_INVAL               iomode or return type unknown; lora_reclaim with FSID or ALL; a range beyond 2^64
// NFS4ERR_NO_GRACE            lora_reclaim outside of the grace period
// NFS4ERR_BAD_STATEID, _OLD_STATEID, _ADMIN_REVOKED   the layout stateid
// NFS4ERR_RECALLCONFLICT      a bulk recall is outstanding (12.5.5.2.1.5)
#include "mds/layout/ops/ops.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

using namespace nfs;

namespace {

Status return_file(MdsContext& context, const LAYOUTRETURN4args& args, LAYOUTRETURN4res& res) {
  auto& pnfs = pnfs_of(context.mds);
  volume::Inode inode;
  if (auto status = context.current_inode(inode); !status) return status;
  const auto& what = args.lora_layoutreturn.lr_layout;
  context.trace.offset = what.lrf_offset;
  context.trace.count = what.lrf_length;
  if (inode.type != volume::FileType::regular)
    return fail(NFS4ERR_WRONG_TYPE, "15.1.2.9", "file {} is not a regular file", inode.fileid);
  if (what.lrf_length != NFS4_UINT64_MAX && what.lrf_offset > NFS4_UINT64_MAX - what.lrf_length)
    return fail(NFS4ERR_INVAL, "18.44.3", "offset {} + length {} is beyond 2^64", what.lrf_offset, what.lrf_length);
  stateid4 stateid;
  if (auto resolved = context.resolve_stateid(what.lrf_stateid, stateid); !resolved) return resolved;
  context.trace.stateid = stateid;
  if (args.lora_reclaim) return {};  // of a layout of the server's earlier life: nothing is left of it
  std::optional<stateid4> remaining;
  auto status = pnfs.table().give_back(context.clientid(), inode.fileid, stateid, args.lora_iomode,
                                       control::range_of(what.lrf_offset, what.lrf_length), remaining);
  if (!status) return status;
  pnfs.returned(context.clientid(), inode.fileid);
  res.lorr_stateid.lrs_present = remaining.has_value();
  if (remaining) res.lorr_stateid.lrs_stateid = *remaining;
  // 18.44.3: without a layout left the current stateid becomes the special one of zeros.
  context.set_current_stateid(remaining.value_or(stateid4{}));
  return {};
}

}  // namespace

Status op_layoutreturn(MdsContext& context, const LAYOUTRETURN4args& args, LAYOUTRETURN4res& res) {
  auto& pnfs = pnfs_of(context.mds);
  const auto type = args.lora_layoutreturn.lr_returntype;
  context.trace.iomode = args.lora_iomode;
  if (type != LAYOUTRETURN4_ALL)
    if (auto status = context.require_current(); !status) return status;
  if (pnfs.driver(args.lora_layout_type) == nullptr)
    return fail(NFS4ERR_UNKNOWN_LAYOUTTYPE, "18.44.3", "layout type {} is not served here",
                static_cast<uint32_t>(args.lora_layout_type));
  if (args.lora_iomode < LAYOUTIOMODE4_READ || args.lora_iomode > LAYOUTIOMODE4_ANY)
    return fail(NFS4ERR_INVAL, "18.44.3", "iomode {} is unknown", static_cast<uint32_t>(args.lora_iomode));
  if (type < LAYOUTRETURN4_FILE || type > LAYOUTRETURN4_ALL)
    return fail(NFS4ERR_INVAL, "18.44.3", "return type {} is unknown", static_cast<uint32_t>(type));
  if (args.lora_reclaim && type != LAYOUTRETURN4_FILE)
    return fail(NFS4ERR_INVAL, "18.44.3", "lora_reclaim goes with LAYOUTRETURN4_FILE only");
  if (args.lora_reclaim && !context.mds.in_grace())
    return fail(NFS4ERR_NO_GRACE, "18.44.3", "lora_reclaim outside of the grace period");
  if (type == LAYOUTRETURN4_FILE) return return_file(context, args, res);

  std::vector<FileId> files;
  const auto scope = type == LAYOUTRETURN4_ALL ? BulkScope::all : BulkScope::fsid;
  if (auto status = pnfs.table().give_back_all(context.clientid(), scope, args.lora_iomode, files); !status)
    return status;
  for (const FileId file : files) pnfs.returned(context.clientid(), file);
  return {};
}

}  // namespace pnfs::mds::layout
