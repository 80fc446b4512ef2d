// BIND_CONN_TO_SESSION (RFC 8881 18.34): adds the connection it comes on to channels of a session.
//
// Errors:
//   NFS4ERR_BADSESSION  no such session
//   NFS4ERR_INVAL       bctsa_dir is none of the four; the connection is bound to other channels already
//   NFS4ERR_DELAY       the session has as many connections as it may have
// (NFS4ERR_NOT_ONLY_OP is the dispatcher's.)
#include "common/compound/ops/connections.hpp"
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

nfs::Status op_bind_conn_to_session(Context& context, const nfs::BIND_CONN_TO_SESSION4args& args,
                                    nfs::BIND_CONN_TO_SESSION4res& res) {
  Role& role = context.role();
  const auto answer = role.sessions().bind(args.bctsa_sessid, context.connection_id(), args.bctsa_dir, role.now());
  if (!answer.status) return answer.status;
  if (answer.bound_now) watch_connection(context);
  res.bctsr_resok4.bctsr_sessid = args.bctsa_sessid;
  res.bctsr_resok4.bctsr_dir = static_cast<nfs::channel_dir_from_server4>(answer.direction);
  res.bctsr_resok4.bctsr_use_conn_in_rdma_mode = false;
  return {};
}

}  // namespace pnfs::compound
