// RENAME (RFC 8881 18.26): from the saved directory to the current one. Errors: NOENT, NOTDIR, EXIST (kinds differ),
// NOTEMPTY, INVAL (below itself), ACCESS, MLINK, ROFS, GRACE, DELAY (a delegation is being recalled), those of names
// and of the filehandles.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_rename(MdsContext& context, const RENAME4args& args, RENAME4res& res) {
  context.trace.path = args.oldname.text;
  context.trace.note = fmt::format("to {}", args.newname.text);
  Inode from, to;
  if (Status status = context.saved_inode(from); !status) return status;
  if (Status status = context.current_dir(to); !status) return status;
  if (from.type != volume::FileType::directory) {
    return fail(NFS4ERR_NOTDIR, "18.26.3", "file {} is not a directory", from.fileid);
  }
  if (Status status = context.require_writable(); !status) return status;
  // Holders of delegations on either object know it by its name (10.4).
  Namespace& names = context.mds.names();
  Inode object;
  if (names.lookup(from, args.oldname.text, context.caller, object)) {
    if (Status status = context.recall_delegations(object.fileid, true); !status) return status;
  }
  if (names.lookup(to, args.newname.text, context.caller, object)) {
    if (Status status = context.recall_delegations(object.fileid, true); !status) return status;
  }
  Namespace::Renamed renamed;
  if (Status status = names.rename(from, args.oldname.text, to, args.newname.text, context.caller, renamed); !status) {
    return status;
  }
  context.seen();
  context.trace.fileid = renamed.file;
  res.resok4.source_cinfo = {true, renamed.source.before, renamed.source.after};
  res.resok4.target_cinfo = {true, renamed.target.before, renamed.target.after};
  return {};
}

}  // namespace pnfs::mds
