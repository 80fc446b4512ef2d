// OPEN_DOWNGRADE (RFC 8881 18.18). Errors: INVAL (not a union of opens in effect), BAD_STATEID, OLD_STATEID,
// ADMIN_REVOKED, DELAY (a data server has not let go of the stateid), those of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_open_downgrade(MdsContext& context, const OPEN_DOWNGRADE4args& args, OPEN_DOWNGRADE4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) co_return status;
  stateid4 stateid;
  if (Status status = context.resolve_stateid(args.open_stateid, stateid); !status) co_return status;
  context.trace.stateid = stateid;
  Mds& mds = context.mds;
  state::Entry* found = nullptr;
  if (Status status = mds.state().find(context.clientid(), inode.fileid, stateid, found); !status) co_return status;
  Status gone = co_await mds.pnfs().revoke_stateid(context.clientid(), inode.fileid, stateid);
  if (!gone) co_return gone;
  const uint32_t access = args.share_access & ~OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
  Status status = mds.state().downgrade(context.clientid(), inode.fileid, stateid, access, args.share_deny,
                                        res.resok4.open_stateid);
  if (!status) co_return status;
  context.set_current_stateid(res.resok4.open_stateid);
  co_return Status{};
}

}  // namespace pnfs::mds
