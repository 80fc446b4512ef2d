// LOOKUP (RFC 8881 18.13). Errors: NOTDIR, SYMLINK, ACCESS, NOENT, those of names and of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_lookup(MdsContext& context, const LOOKUP4args& args, LOOKUP4res&) {
  Inode dir, found;
  context.trace.path = args.objname.text;
  if (Status status = context.current_inode(dir); !status) return status;
  if (Status status = context.mds.names().lookup(dir, args.objname.text, context.caller, found); !status) return status;
  context.set_current_inode(found);
  return {};
}

}  // namespace pnfs::mds
