// LOCKU (RFC 8881 18.12). Errors: INVAL, BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, DELAY, those of the filehandle.
#include "mds/ops/lock_args.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_locku(MdsContext& context, const LOCKU4args& args, LOCKU4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.length;
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  state::ByteRange range;
  if (Status status = read_range(args.locktype, args.offset, args.length, range); !status) return status;
  stateid4 stateid;
  if (Status status = context.resolve_stateid(args.lock_stateid, stateid); !status) return status;
  context.trace.stateid = stateid;
  if (Status status = context.mds.state().unlock(context.clientid(), inode.fileid, stateid, range, res.lock_stateid);
      !status) {
    return status;
  }
  context.set_current_stateid(res.lock_stateid);
  context.mds.send_lock_hints(inode.fileid);
  return {};
}

}  // namespace pnfs::mds
