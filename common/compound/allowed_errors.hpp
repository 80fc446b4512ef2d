// Keeps operations to the errors that RFC 8881 lets them return (15.2, and the exceptions that cite their section).
#pragma once

#include "common/nfs/op_info.hpp"
#include "common/nfs/status.hpp"

namespace pnfs::compound {

// `status` as it is when the operation may return it. Anything else is a bug of ours: it is counted, said in the log,
// and answered as the nearest error that clients are prepared for.
nfs::Status keep_to_table(const nfs::OpInfo& info, nfs::Status status);

// The same for an error that is known not to suit the operation: what is withdrawn was decided by another one.
nfs::Status nearest_valid(const nfs::OpInfo& info, nfs::Status status);

// How often keep_to_table() had something to change in this process. Tests want 0.
uint64_t errors_outside_table();

}  // namespace pnfs::compound
