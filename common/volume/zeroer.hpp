// Private to this folder: zeroes freed and never used space in the background, so that allocation finds space that
// reads as zeros (design: no unwritten extents).
#pragma once

#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"
#include "common/volume/extents_impl.hpp"

namespace pnfs::volume {

class Zeroer {
 public:
  Zeroer(block::BlockStore& store, ExtentsImpl& extents, CatalogImpl& catalog, io::TimerQueue& timers,
         uint64_t pool_bytes)
      : store_(store), extents_(extents), catalog_(catalog), timers_(timers), pool_bytes_(pool_bytes) {}
  // Until cancelled or the catalog fails.
  io::Task<void> run();

 private:
  io::Task<Result<void>> zero_durably(ByteRange range);

  block::BlockStore& store_;
  ExtentsImpl& extents_;
  CatalogImpl& catalog_;
  io::TimerQueue& timers_;
  uint64_t pool_bytes_;
};

}  // namespace pnfs::volume
