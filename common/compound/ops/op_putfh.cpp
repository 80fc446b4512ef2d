// PUTFH (RFC 8881 18.19): the client names the current filehandle.
//
// Errors:
//   NFS4ERR_BADHANDLE, NFS4ERR_STALE ...  what the role finds without looking at the file
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

nfs::Status op_putfh(Context& context, const nfs::PUTFH4args& args, nfs::PUTFH4res&) {
  if (nfs::Status status = context.role().check_filehandle(context, args.object.bytes); !status) return status;
  context.set_current(args.object.bytes);
  return {};
}

}  // namespace pnfs::compound
