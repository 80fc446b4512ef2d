// Private to this folder: the SQLite VFS of one catalog. Its files are memory: the database image, its write-ahead log,
// and temporary files that vanish on close. Nothing here waits or fails for I/O reasons; the catalog writer ships what
// changed (Design: metadata in SQLite on the LUN, and SQLite never waits).
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "common/volume/chunked_bytes.hpp"
#include "common/volume/format.hpp"

namespace pnfs::volume {

class MemoryVfs {
 public:
  MemoryVfs();
  ~MemoryVfs();
  MemoryVfs(const MemoryVfs&) = delete;
  MemoryVfs& operator=(const MemoryVfs&) = delete;

  const char* name() const { return name_.c_str(); }

  ChunkedBytes image;
  ChunkedBytes log;
  // Pages of the image written since the writer last took them.
  std::vector<bool> dirty_pages;
  // What the log held when SQLite last truncated it: its tail may not have been shipped yet.
  ChunkedBytes retired_log;

 private:
  std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace pnfs::volume
