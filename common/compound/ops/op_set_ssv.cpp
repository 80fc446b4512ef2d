// SET_SSV (RFC 8881 18.47): the shared secret of SP4_SSV, which EXCHANGE_ID never grants here.
//
// Errors:
//   NFS4ERR_INVAL  always: the client id was not created with SP4_SSV
#include "common/compound/ops/shared_ops.hpp"

namespace pnfs::compound {

nfs::Status op_set_ssv(Context&, const nfs::SET_SSV4args&, nfs::SET_SSV4res&) {
  return nfs::fail(nfs::NFS4ERR_INVAL, "18.47.3", "the client id was not created with SP4_SSV protection");
}

}  // namespace pnfs::compound
