// LOOKUPP (RFC 8881 18.14). Errors: NOENT at the root, NOTDIR, SYMLINK, ACCESS, those of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_lookupp(MdsContext& context, LOOKUPP4res&) {
  Inode dir, parent;
  if (Status status = context.current_inode(dir); !status) return status;
  if (Status status = context.mds.names().parent_of(dir, context.caller, parent); !status) return status;
  context.set_current_inode(parent);
  return {};
}

}  // namespace pnfs::mds
