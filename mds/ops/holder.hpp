// What another client knows about a file for which it holds a write delegation (RFC 8881 10.4.3).
#pragma once

#include "mds/ops/ops.hpp"

namespace pnfs::mds {

bool held_by_another(MdsContext& context, FileId file);
// Asks the holder (CB_GETATTR) and brings `inode` to what the file is with the holder's changes: they count as made
// now, and the size is the holder's. A holder that does not answer loses the delegation: DELAY until it is back.
io::Task<Status> ask_holder(MdsContext& context, Inode& inode);

}  // namespace pnfs::mds
