// TEST_STATEID and FREE_STATEID (RFC 8881 18.48, 18.38). Errors of FREE_STATEID: BAD_STATEID, OLD_STATEID, LOCKS_HELD.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_test_stateid(MdsContext& context, const TEST_STATEID4args& args, TEST_STATEID4res& res) {
  const auto codes = context.arena().make_array<nfsstat4>(args.ts_stateids.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    codes[i] = context.mds.state().test(context.clientid(), args.ts_stateids[i]).status;
  }
  res.tsr_resok4.tsr_status_codes.items = codes;
  return {};
}

Status op_free_stateid(MdsContext& context, const FREE_STATEID4args& args, FREE_STATEID4res&) {
  stateid4 stateid;
  if (Status status = context.resolve_stateid(args.fsa_stateid, stateid); !status) return status;
  context.trace.stateid = stateid;
  return context.mds.state().free(context.clientid(), stateid);
}

}  // namespace pnfs::mds
