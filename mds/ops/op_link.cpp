// LINK (RFC 8881 18.9): the saved filehandle's object gets a name in the current directory. Errors: ISDIR, NOTDIR,
// EXIST, ACCESS, MLINK, NOSPC, ROFS, DELAY (a delegation is being recalled), those of names and of the filehandles.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_link(MdsContext& context, const LINK4args& args, LINK4res& res) {
  context.trace.path = args.newname.text;
  Inode file, dir;
  if (Status status = context.saved_inode(file); !status) return status;
  if (Status status = context.current_dir(dir); !status) return status;
  if (Status status = context.require_writable(); !status) return status;
  // Its holder answers for the number of links and the times (10.4).
  if (Status status = context.recall_delegations(file.fileid, true); !status) return status;
  ChangeInfo change;
  if (Status status = context.mds.names().link(file, dir, args.newname.text, context.caller, change); !status) {
    return status;
  }
  context.seen();
  res.resok4.cinfo = {true, change.before, change.after};
  return {};
}

}  // namespace pnfs::mds
