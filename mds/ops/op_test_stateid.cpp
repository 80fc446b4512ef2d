// TEST_STATEID (RFC 8881 18.48): a status for each stateid. Errors of its own: none but DELAY.
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

}  // namespace pnfs::mds
