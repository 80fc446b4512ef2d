// What LOCK, LOCKT and LOCKU have in common.
#pragma once

#include "mds/ops/ops.hpp"

namespace pnfs::mds {

// INVAL: no lock type, length 0, or a range beyond 2^64 - 1 (RFC 8881 18.10.3).
Status read_range(nfs::nfs_lock_type4 type, uint64_t offset, uint64_t length, state::ByteRange& range);
inline bool is_exclusive(nfs::nfs_lock_type4 type) {
  return type == nfs::WRITE_LT || type == nfs::WRITEW_LT;
}
inline bool is_blocking(nfs::nfs_lock_type4 type) {
  return type == nfs::READW_LT || type == nfs::WRITEW_LT;
}
void fill_denied(MdsContext& context, const state::StateTable::LockDenied& from, nfs::LOCK4denied& to);

}  // namespace pnfs::mds
