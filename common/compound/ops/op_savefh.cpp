// SAVEFH and RESTOREFH (RFC 8881 18.28, 18.27): filehandle and stateid are kept and brought back as a pair
// (16.2.3.1.2).
//
// Errors:
//   NFS4ERR_NOFILEHANDLE  no current, respectively no saved filehandle
#include "common/compound/ops/shared_ops.hpp"

namespace pnfs::compound {

nfs::Status op_savefh(Context& context, nfs::SAVEFH4res&) {
  if (nfs::Status status = context.require_current(); !status) return status;
  context.saved = context.current;
  return {};
}

nfs::Status op_restorefh(Context& context, nfs::RESTOREFH4res&) {
  if (nfs::Status status = context.require_saved(); !status) return status;
  context.current = context.saved;
  return {};
}

}  // namespace pnfs::compound
