// LAYOUTCOMMIT (RFC 8881 18.42): what was written under a layout becomes visible.
//
// NFS4ERR_NOFILEHANDLE, _STALE, _ISDIR, _SYMLINK   the current filehandle
// NFS4ERR_IO                  the catalog failed
// NFS4ERR_NOTSUPP             the personality has none
// NFS4ERR_UNKNOWN_LAYOUTTYPE  not a layout type of this server
// NFS4ERR_INVAL               a last write offset outside of the range or beyond the largest offset, a range beyond 2^64
// NFS4ERR_GRACE, _NO_GRACE    the grace period and loca_reclaim do not go together
// NFS4ERR_BADLAYOUT           no such layout, or not of this range
// NFS4ERR_ADMIN_REVOKED       it was revoked
// NFS4ERR_BADIOMODE           the layout is for READ
// NFS4ERR_DELAY               delegations of others are being recalled
#include "common/volume/volume.hpp"
#include "mds/layout/ops/ops.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

using namespace nfs;

io::Task<Status> op_layoutcommit(MdsContext& context, const LAYOUTCOMMIT4args& args, LAYOUTCOMMIT4res& res) {
  auto& pnfs = pnfs_of(context.mds);
  const auto& personality = pnfs.personality();
  context.trace.offset = args.loca_offset;
  context.trace.count = args.loca_length;
  volume::Inode inode;
  if (auto status = context.current_file(inode); !status) co_return status;
  if (!personality.offers_layoutcommit)
    co_return fail(NFS4ERR_NOTSUPP, "18.42", "a {} server has no LAYOUTCOMMIT", personality.name);
  if (pnfs.driver(args.loca_layoutupdate.lou_type) == nullptr)
    co_return fail(NFS4ERR_UNKNOWN_LAYOUTTYPE, "18.42.3", "layout type {} is not served here",
                   static_cast<uint32_t>(args.loca_layoutupdate.lou_type));
  if (args.loca_length != NFS4_UINT64_MAX && args.loca_offset > NFS4_UINT64_MAX - args.loca_length)
    co_return fail(NFS4ERR_INVAL, "18.42.3", "offset {} + length {} is beyond 2^64", args.loca_offset, args.loca_length);
  const ByteRange range = control::range_of(args.loca_offset, args.loca_length);
  const bool has_offset = args.loca_last_write_offset.no_newoffset;
  const uint64_t last = args.loca_last_write_offset.no_offset;
  if (has_offset && (last > NFS4_MAXFILEOFF || last < range.offset || last >= range.end))
    co_return fail(NFS4ERR_INVAL, "18.42.3", "last write offset {} is not in {}", last, to_string(range));
  if (args.loca_reclaim && !context.mds.in_grace())
    co_return fail(NFS4ERR_NO_GRACE, "18.42.3", "loca_reclaim outside of the grace period");
  if (!args.loca_reclaim && context.mds.in_grace())
    co_return fail(NFS4ERR_GRACE, "18.42.3", "only reclaims in the grace period");
  stateid4 stateid;
  if (auto resolved = context.resolve_stateid(args.loca_stateid, stateid); !resolved) co_return resolved;
  context.trace.stateid = stateid;
  // A layout from before the restart is not known here; the bytes it wrote are (18.42.3: free to accept).
  if (!args.loca_reclaim)
    if (auto status = pnfs.table().may_commit(context.clientid(), inode.fileid, stateid, range); !status) co_return status;
  if (personality.layoutcommit_stub) co_return Status{};

  auto& catalog = context.mds.catalog();
  auto savepoint = catalog.begin();
  if (!savepoint) co_return fail(NFS4ERR_DELAY, "15.1.1.3", "{}", savepoint.error().reason);
  auto now = catalog.get(inode.fileid);
  if (!now) co_return fail(NFS4ERR_STALE, "15.1.2.7", "{}", now.error().reason);
  inode = *now;
  if (has_offset && last + 1 > inode.size) {
    inode.size = last + 1;
    res.locr_resok4.locr_newsize.ns_sizechanged = true;
    res.locr_resok4.locr_newsize.ns_size = inode.size;
  }
  const WallTime wall = context.mds.seams().clock.wall();
  WallTime modified = wall;
  // 18.42.3: a suggestion, taken as long as time does not flow backwards.
  if (args.loca_time_modify.nt_timechanged && args.loca_time_modify.nt_time.nseconds < 1'000'000'000)
    modified = to_wall_time(args.loca_time_modify.nt_time);
  inode.mtime = std::max(modified, inode.mtime);
  inode.ctime = wall;
  inode.change = context.mds.names().next_change(inode.change);
  if (auto put = catalog.put(inode); !put) co_return fail(NFS4ERR_IO, "15.1.4.6", "{}", put.error().reason);
  if (auto released = savepoint->release(); !released)
    co_return fail(NFS4ERR_IO, "15.1.4.6", "{}", released.error().reason);
  context.seen();
  co_return Status{};
}

}  // namespace pnfs::mds::layout
