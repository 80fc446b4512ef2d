// LOCKT (RFC 8881 18.11). Errors: DENIED (with who is in the way), INVAL, GRACE, ISDIR, SYMLINK, WRONG_TYPE, DELAY,
// those of the filehandle.
#include "mds/ops/lock_args.hpp"

namespace pnfs::mds {

using namespace nfs;
using state::StateTable;

Status op_lockt(MdsContext& context, const LOCKT4args& args, LOCKT4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.length;
  Inode inode;
  if (Status status = context.current_file(inode); !status) return status;
  state::ByteRange range;
  if (Status status = read_range(args.locktype, args.offset, args.length, range); !status) return status;
  if (context.mds.in_grace()) return fail(NFS4ERR_GRACE, "18.11.3", "locks may still be reclaimed");
  const auto bytes = args.owner.owner.bytes;
  const std::string_view owner(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  StateTable::LockDenied denied;
  for (;;) {
    Status status = context.mds.state().test_lock(context.clientid(), owner, inode.fileid, range,
                                                  is_exclusive(args.locktype), denied);
    if (status.status != NFS4ERR_DENIED) return status;
    if (context.mds.expire_courtesy(std::span(&denied.client, 1))) continue;
    fill_denied(context, denied, res.denied);
    return status;
  }
}

}  // namespace pnfs::mds
