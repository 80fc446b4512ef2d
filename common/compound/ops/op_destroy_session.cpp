// DESTROY_SESSION (RFC 8881 18.37): the session and its reply cache go; the client's state stays.
//
// Errors:
//   NFS4ERR_BADSESSION                 no such session
//   NFS4ERR_CONN_NOT_BOUND_TO_SESSION  it came on a connection that is not the session's
//   NFS4ERR_NOT_ONLY_OP                it destroys its own COMPOUND's session and is not last (alone without SEQUENCE:
//                                      the dispatcher's)
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

nfs::Status op_destroy_session(Context& context, const nfs::DESTROY_SESSION4args& args, nfs::DESTROY_SESSION4res&) {
  const bool own = context.in_session() && context.name().session == args.dsa_sessionid;
  if (own && context.op_index + 1 != context.op_count) {
    return nfs::fail(nfs::NFS4ERR_NOT_ONLY_OP, "18.37.3",
                     "it destroys the session of its own COMPOUND and must be the last operation");
  }
  nfs::Status status = context.role().sessions().destroy_session(args.dsa_sessionid, context.connection_id());
  if (status && own) context.leave_session();
  return status;
}

}  // namespace pnfs::compound
