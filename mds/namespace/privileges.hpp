// Setuid and setgid of files that change hands or content.
#pragma once

#include "mds/namespace/namespace.hpp"

namespace pnfs::mds {

// A program that runs as its owner or group. Whoever writes to it must be known, so that it ceases to be one: it is written
// through the MDS only. A client sends LAYOUTCOMMIT as whoever first used the layout, and data servers know no modes.
bool is_privileged(volume::FileType type, uint32_t mode);
// What a change by somebody else than root takes away from an executable, as write(2) and chown(2) do.
void drop_privileges(Inode& inode);

}  // namespace pnfs::mds
