// REMOVE (RFC 8881 18.25). Errors: NOENT, NOTDIR, NOTEMPTY, ACCESS, ROFS, GRACE, DELAY (a delegation is being
// recalled), those of names and of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_remove(MdsContext& context, const REMOVE4args& args, REMOVE4res& res) {
  context.trace.path = args.target.text;
  Inode dir;
  if (Status status = context.current_dir(dir); !status) return status;
  if (Status status = context.require_writable(); !status) return status;
  Inode victim;
  if (Status status = context.mds.names().lookup(dir, args.target.text, context.caller, victim); !status) return status;
  if (Status status = context.recall_delegations(victim.fileid, true); !status) return status;
  Namespace::Removed removed;
  if (Status status = context.mds.names().remove(dir, args.target.text, context.caller, removed); !status) {
    return status;
  }
  context.seen();
  context.trace.fileid = removed.file;
  res.resok4.cinfo = {true, removed.change.before, removed.change.after};
  return {};
}

}  // namespace pnfs::mds
