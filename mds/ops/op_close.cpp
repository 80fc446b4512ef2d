// CLOSE (RFC 8881 18.2). Locks under the open go with it. Errors: BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, DELAY (a
// data server has not let go of the stateid), those of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_close(MdsContext& context, const CLOSE4args& args, CLOSE4res& res) {
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
  if (Status status = mds.state().close(context.clientid(), inode.fileid, stateid); !status) co_return status;
  mds.maybe_reap(inode.fileid);
  mds.send_lock_hints(inode.fileid);
  // The stateid is no more: what comes back must not be used again (18.2.4).
  res.open_stateid = state::invalid_stateid();
  context.set_current_stateid(res.open_stateid);
  co_return Status{};
}

}  // namespace pnfs::mds
