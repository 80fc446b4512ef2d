// DESTROY_CLIENTID (RFC 8881 18.50): a client that has nothing left is forgotten.
//
// Errors:
//   NFS4ERR_STALE_CLIENTID  no such client id
//   NFS4ERR_CLIENTID_BUSY   it has sessions or state, or is the COMPOUND's own
// (NFS4ERR_NOT_ONLY_OP is the dispatcher's.)
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

nfs::Status op_destroy_clientid(Context& context, const nfs::DESTROY_CLIENTID4args& args, nfs::DESTROY_CLIENTID4res&) {
  if (context.in_session() && context.clientid() == args.dca_clientid) {
    return nfs::fail(nfs::NFS4ERR_CLIENTID_BUSY, "18.50.3", "the client id is that of the COMPOUND's own session");
  }
  return context.role().sessions().destroy_client(args.dca_clientid, context.role().now());
}

}  // namespace pnfs::compound
