#include "common/compound/allowed_errors.hpp"

#include <spdlog/spdlog.h>

#include "common/nfs/valid_errors.hpp"

namespace pnfs::compound {

namespace {
uint64_t outside_table = 0;  // all operations run on one thread
}

nfs::Status nearest_valid(const nfs::OpInfo& info, nfs::Status status) {
  if (status.ok() || nfs::may_return(info.name, status.status)) return status;
  status.reason = fmt::format("{}: {}", nfs::status_name(status.status), status.reason);
  for (const nfs::nfsstat4 nearest : {nfs::NFS4ERR_SERVERFAULT, nfs::NFS4ERR_IO, nfs::NFS4ERR_DELAY}) {
    status.status = nearest;
    if (nfs::is_valid_error(info.name, nearest)) break;
  }
  return status;
}

nfs::Status keep_to_table(const nfs::OpInfo& info, nfs::Status status) {
  if (status.ok() || nfs::may_return(info.name, status.status)) return status;
  ++outside_table;
  spdlog::error("{} must not return {} (RFC 8881 15.2): {}", info.name, nfs::status_name(status.status), status.reason);
  return nearest_valid(info, std::move(status));
}

uint64_t errors_outside_table() {
  return outside_table;
}

}  // namespace pnfs::compound
