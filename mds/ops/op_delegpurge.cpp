// DELEGPURGE (RFC 8881 18.5). Errors: NOTSUPP, always, because CLAIM_DELEGATE_PREV is not offered.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_delegpurge(MdsContext&, const DELEGPURGE4args&, DELEGPURGE4res&) {
  return fail(NFS4ERR_NOTSUPP, "18.5.3", "delegations are not kept for CLAIM_DELEGATE_PREV");
}

}  // namespace pnfs::mds
