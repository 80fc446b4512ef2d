// FREE_STATEID (RFC 8881 18.38). Errors: BAD_STATEID, OLD_STATEID, LOCKS_HELD.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_free_stateid(MdsContext& context, const FREE_STATEID4args& args, FREE_STATEID4res&) {
  stateid4 stateid;
  if (Status status = context.resolve_stateid(args.fsa_stateid, stateid); !status) return status;
  context.trace.stateid = stateid;
  return context.mds.state().free(context.clientid(), stateid);
}

}  // namespace pnfs::mds
