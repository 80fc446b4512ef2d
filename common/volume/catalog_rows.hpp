// Private to this folder: rows that several queries read.
#pragma once

#include "common/volume/sqlite.hpp"
#include "common/volume/types.hpp"

// In the order read_inode() expects; the table must be named i.
#define PNFS_INODE_COLUMNS                                                                                       \
  "i.fileid, i.generation, i.type, i.mode, i.uid, i.gid, i.nlink, i.size, i.space_used, i.rdev_major, "          \
  "i.rdev_minor, i.atime, i.atime_ns, i.mtime, i.mtime_ns, i.ctime, i.ctime_ns, i.btime, i.btime_ns, i.change, " \
  "i.parent, i.create_verifier, i.symlink_target, i.layout_hint"

namespace pnfs::volume {

Inode read_inode(const Query& row, int first);

}  // namespace pnfs::volume
