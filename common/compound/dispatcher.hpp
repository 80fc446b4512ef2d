// Runs the operations of one COMPOUND in order (RFC 8881 16.2): decodes each when its turn comes, so that a malformed
// one answers NFS4ERR_BADXDR and keeps the results before it; stops at the first error; keeps to the session's limits;
// and leaves the answer in the session's reply cache.
#pragma once

#include "common/compound/role.hpp"

namespace pnfs::compound {

// The COMPOUND procedure: the answer is in context.request() when it returns. GARBAGE_ARGS when not even the tag, minor
// version and operation count can be read.
io::Task<void> run_compound(Context& context);

}  // namespace pnfs::compound
