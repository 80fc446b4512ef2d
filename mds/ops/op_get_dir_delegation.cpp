// GET_DIR_DELEGATION (RFC 8881 18.39): directory delegations are always unavailable. Errors: NOTDIR, those of the
// filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_get_dir_delegation(MdsContext& context, const GET_DIR_DELEGATION4args&, GET_DIR_DELEGATION4res& res) {
  Inode dir;
  if (Status status = context.current_dir(dir); !status) return status;
  res.gddr_res_non_fatal4.gddrnf_status = GDD4_UNAVAIL;
  res.gddr_res_non_fatal4.gddrnf_will_signal_deleg_avail = false;
  return {};
}

}  // namespace pnfs::mds
