// GETFH (RFC 8881 18.8): the current filehandle's bytes.
//
// Errors:
//   NFS4ERR_NOFILEHANDLE  there is none
#include "common/compound/ops/shared_ops.hpp"

namespace pnfs::compound {

nfs::Status op_getfh(Context& context, nfs::GETFH4res& res) {
  if (nfs::Status status = context.require_current(); !status) return status;
  res.resok4.object = context.current.fh;
  return {};
}

}  // namespace pnfs::compound
