#include "common/compound/nfs_service.hpp"

namespace pnfs::compound {

bool NfsServiceBase::answer_other(rpc::Request& request) {
  if (request.procedure() == nfs::NFSPROC4_COMPOUND) return false;
  if (request.procedure() == nfs::NFSPROC4_NULL) {
    request.begin_reply();
  } else {
    request.reply_error(rpc::PROC_UNAVAIL);
  }
  return true;
}

}  // namespace pnfs::compound
