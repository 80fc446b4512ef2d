// RECLAIM_COMPLETE (RFC 8881 18.51): the client has reclaimed what it will reclaim.
//
// Errors:
//   NFS4ERR_COMPLETE_ALREADY  it was done before by this client id (rca_one_fs FALSE)
//   NFS4ERR_NOFILEHANDLE      rca_one_fs TRUE and no current filehandle
//   and what the role's own work answers
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

nfs::Status op_reclaim_complete(Context& context, const nfs::RECLAIM_COMPLETE4args& args, nfs::RECLAIM_COMPLETE4res&) {
  Role& role = context.role();
  if (args.rca_one_fs) {
    if (nfs::Status status = context.require_current(); !status) return status;
    return role.reclaim_complete(context, true);
  }
  if (nfs::Status status = role.sessions().may_reclaim_complete(context.clientid()); !status) return status;
  if (nfs::Status status = role.reclaim_complete(context, false); !status) return status;
  if (session::Client* client = context.client()) client->reclaim_complete = true;
  return {};
}

}  // namespace pnfs::compound
