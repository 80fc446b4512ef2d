// SETATTR (RFC 8881 18.30). Errors: INVAL, ATTRNOTSUPP, BADOWNER, PERM, ACCESS, FBIG, NOSPC, ROFS, GRACE, DELAY (a
// delegation or layout is being recalled, a data server has not let go), and with a size those of the stateid:
// BAD_STATEID, OLD_STATEID, OPENMODE, LOCKED.
#include "mds/data/file_io.hpp"
#include "mds/namespace/attributes.hpp"
#include "mds/namespace/privileges.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_setattr(MdsContext& context, const SETATTR4args& args, SETATTR4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) co_return status;
  SetAttributes set;
  if (Status status = read_settable(args.obj_attributes, context.arena(), set); !status) co_return status;
  if (Status status = context.require_writable(); !status) co_return status;
  bool open_for_write = false;
  if (set.size) {
    // Only a change of the size is an access to the data that the stateid speaks for (18.30.3).
    if (inode.type == volume::FileType::regular) {
      if (Status status = context.check_io_stateid(inode, args.stateid, state::kShareWrite, open_for_write); !status) {
        co_return status;
      }
      // A delegation is the client machine's, whoever of its users asks: it says nothing about this one's permission.
      const auto key = state::StateKey::from(*context.trace.stateid);
      if (key && key->kind == state::StateKind::delegation) open_for_write = false;
    }
  }
  if (Status status = context.mds.names().check_set(inode, set, context.caller, open_for_write); !status) {
    co_return status;
  }
  if (Status status = context.recall_delegations(inode.fileid, true); !status) co_return status;
  if (set.mode || set.uid || set.gid) {
    // 13.9.2.3: more restrictive permissions are propagated to data servers before they are answered.
    Status gone = co_await context.mds.pnfs().judge_again(inode.fileid);
    if (!gone) co_return gone;
  }
  if (set.mode && is_privileged(inode.type, *set.mode)) {
    if (Status status = context.mds.pnfs().recall_writers(inode.fileid); !status) co_return status;
  }
  if (!set.empty()) {
    Status status = co_await context.mds.file_io().set_attributes(inode.fileid, set, context.caller, inode);
    if (!status) co_return status;
  }
  context.seen();
  res.attrsset = mask_of(set);
  co_return Status{};
}

}  // namespace pnfs::mds
