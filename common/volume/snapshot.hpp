// A consistent, read-only picture of a volume, taken from the LUN itself: the servers may be up and writing, or down.
// Nothing is written, no ownership is taken. File data is read from the LUN when asked for and may be newer than the
// picture; the extents keep it from being another file's only as long as the file exists.
//
// Threading: the executor's thread only. The store must outlive the snapshot.
#pragma once

#include <memory>

#include "common/block/block_store.hpp"
#include "common/volume/catalog.hpp"
#include "common/volume/extents.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

class Snapshot {
 public:
  // Errors: as probe(); busy when the volume changes too fast to get a consistent copy; too_large.
  static io::Task<Result<std::unique_ptr<Snapshot>>> take(block::BlockStore& store, io::Executor executor,
                                                          uint64_t max_bytes = 1ull << 30);

  const Superblock& superblock() const { return superblock_; }
  const OwnerRecord& owner() const { return owner_; }
  Catalog& catalog() { return *catalog_; }
  Extents& extents() { return *extents_; }
  // The catalog as one SQLite database file, the log folded in, that any sqlite3 opens read-only.
  Result<std::vector<std::byte>> database();

 private:
  Snapshot() = default;
  Superblock superblock_;
  OwnerRecord owner_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Extents> extents_;
};

}  // namespace pnfs::volume
