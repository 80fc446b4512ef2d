// Private to this folder: ships what the catalog seals to the LUN, one group at a time, and checkpoints. The only
// coroutine that writes the catalog, log and generation blocks of a mounted volume.
//
// Order on the device: log (flushed) -> tickets are durable; at a checkpoint: rest of the log, odd mark, image pages,
// even mark that retires the log, each flushed before the next. A crash anywhere leaves either a log that repairs a
// torn image, or a whole image and a retired log.
#pragma once

#include <functional>

#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"
#include "common/volume/catalog_impl.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

class CatalogWriter {
 public:
  // Called when the device says fenced: true when that was a mistake that has been put right (a target that forgot
  // its reservations), so that the write may be tried again.
  using Reassert = std::function<io::Task<Result<void>>()>;

  CatalogWriter(block::BlockStore& store, const Superblock& superblock, CatalogImpl& impl, io::TimerQueue& timers,
                GenerationMark mark, Duration ship_timeout, Reassert reassert);

  // Ships until finish(), or until shipping failed for good (the catalog then carries the failure).
  io::Task<void> run();
  // Before run(): puts what was recovered (and read perhaps from a device's cache) on stable storage, and leaves an
  // empty log.
  io::Task<Result<void>> settle_recovered();
  // Ship the rest, checkpoint, end.
  void finish() {
    finishing_ = true;
    impl_.changed().notify_all();
  }
  io::Task<Result<void>> checkpoint();
  const GenerationMark& mark() const { return mark_; }

 private:
  enum class Step { log, mark, image };
  struct Run {
    uint64_t offset, length;
  };
  io::Task<Result<void>> ship_log(const ChunkedBytes& log);
  io::Task<Result<void>> persist(Step step);
  io::Task<Result<void>> attempt(Step step);
  io::Task<Result<void>> write_log();
  io::Task<Result<void>> write_mark();
  io::Task<Result<void>> write_image();
  void collect_dirty();

  block::BlockStore& store_;
  Superblock superblock_;
  CatalogImpl& impl_;
  io::TimerQueue& timers_;
  GenerationMark mark_;
  Duration ship_timeout_;
  Reassert reassert_;
  bool finishing_ = false;
  uint64_t shipped_ = 0;  // bytes of the present log that are durable
  const ChunkedBytes* shipping_ = nullptr;
  uint64_t ship_begin_ = 0, ship_end_ = 0;
  std::vector<Run> dirty_;
  std::vector<block::ConstPiece> pieces_;
};

}  // namespace pnfs::volume
