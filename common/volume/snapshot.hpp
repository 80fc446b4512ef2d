// A consistent, read-only picture of a volume, taken from the LUN itself: the servers may be up and writing, or down.
// Nothing is written, no ownership is taken. File data is read from the LUN when asked for and may be newer than the
// picture. A reader that must not see what has become another file's takes a picture again after it has read, and looks
// whether the extents are still there.
//
// Threading: the executor's thread only. The store must outlive the reader.
#pragma once

#include <memory>

#include "common/block/block_store.hpp"
#include "common/io/event.hpp"
#include "common/volume/catalog.hpp"
#include "common/volume/chunked_bytes.hpp"
#include "common/volume/extents.hpp"
#include "common/volume/log_frames.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

class Snapshot {
 public:
  static Result<std::shared_ptr<Snapshot>> open(const Superblock& superblock, const ChunkedBytes& image,
                                                io::Executor executor);

  const Superblock& superblock() const { return superblock_; }
  Catalog& catalog() { return *catalog_; }
  // All extents that touch the range, whole, in file order.
  Result<std::vector<Extent>> extents(FileId file, uint64_t offset = 0, uint64_t length = UINT64_MAX);
  // Reads every extent of the volume; corrupt when some overlap.
  Result<SpaceReport> space();
  // All inodes, those without a name too: at most `limit`, ascending from `after`.
  Result<std::vector<FileId>> fileids(FileId after, size_t limit);
  // The catalog as an SQLite database file that any sqlite3 opens.
  uint64_t database_bytes() const;
  void read_database(uint64_t offset, std::span<std::byte> into) const;

 private:
  Snapshot() = default;
  Superblock superblock_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Extents> mapping_;
};

// Takes pictures again and again. The catalog's image is read once for each checkpoint; from then on a picture costs two
// small reads and what the log has grown by.
class SnapshotReader {
 public:
  SnapshotReader(block::BlockStore& store, io::Executor executor, uint64_t max_bytes = 1ull << 30)
      : store_(store), executor_(executor), max_bytes_(max_bytes), free_(executor) {}

  // A picture not older than the call; the last one when nothing changed since. Calls that come while one is taken
  // share the next.
  // Errors: as probe(); busy when the volume changes too fast to get a consistent copy; too_large.
  io::Task<Result<std::shared_ptr<Snapshot>>> take();

  // How often the image was read: once, and once after each checkpoint that was seen.
  uint64_t images_read() const { return images_read_; }

 private:
  io::Task<Result<std::shared_ptr<Snapshot>>> take_alone();
  io::Task<Result<bool>> read_image(const GenerationMark& mark);
  io::Task<Result<void>> read_log(const GenerationMark& mark);
  io::Task<Result<size_t>> read_log_at(uint64_t offset, size_t bytes);

  block::BlockStore& store_;
  io::Executor executor_;
  uint64_t max_bytes_;
  io::Event free_;
  bool busy_ = false;
  uint64_t begun_ = 0;
  uint64_t ended_ = 0;  // the number of the picture in result_
  std::optional<Result<std::shared_ptr<Snapshot>>> result_;

  std::optional<Superblock> superblock_;
  std::optional<GenerationMark> mark_;  // that image_ and cursor_ belong to
  ChunkedBytes image_;                  // all commits up to the cursor folded in
  std::optional<LogCursor> cursor_;     // none: the log was empty so far
  std::vector<std::byte> buffer_;
  std::shared_ptr<Snapshot> last_;
  uint64_t images_read_ = 0;
};

}  // namespace pnfs::volume
