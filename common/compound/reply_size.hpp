// How large results are at least, so that an operation whose effect cannot be taken back is not run when its answer
// would not fit (RFC 8881 2.10.6.4).
#pragma once

#include <cstddef>

#include "common/nfs/numbers.hpp"

namespace pnfs::compound {

// Bytes after the operation's number and status, for operations that change something; 0 for those that may run first
// and be refused after. For OPEN and CREATE the GETFH that a client must send next is counted in.
size_t least_result_bytes(nfs::nfs_opnum4 op);

}  // namespace pnfs::compound
