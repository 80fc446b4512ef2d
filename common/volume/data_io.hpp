// Byte-granular file I/O over mapped ranges: what the MDS and the data servers use to move file data once they know the
// extents. Aligned parts go to the device as they are, without a copy; partial blocks at either end are read, changed
// and written, and concurrent writes to the same blocks wait for one another.
//
// Lifetimes: ranges are taken by value; buffers must stay alive until the task returns; the DataIo must outlive its
// tasks. Threading: the executor's thread only. Errors: as BlockStore; invalid when a write meets a hole.
#pragma once

#include <list>
#include <span>
#include <vector>

#include "common/block/block_store.hpp"
#include "common/io/event.hpp"
#include "common/volume/extent_map.hpp"

namespace pnfs::volume {

class DataIo {
 public:
  DataIo(io::Executor executor, block::BlockStore& store) : store_(store), released_(executor) {}

  // Fills `into` from `ranges` (ExtentMap::map of exactly into.size() bytes); holes become zeros.
  io::Task<Result<void>> read(std::vector<MappedRange> ranges, std::span<std::byte> into);
  // Writes the bytes of `from`, in order, to `ranges`, which must hold no hole.
  // With Fua::yes the data is on stable storage on return (FUA, or a flush where the device has none).
  io::Task<Result<void>> write(std::vector<MappedRange> ranges, std::span<const block::ConstPiece> from,
                               block::Fua fua = block::Fua::no);
  block::BlockStore& store() { return store_; }

 private:
  struct Claim {
    uint64_t begin, end;  // volume blocks' bytes, block-aligned
    bool rewrites;        // holds a read-modify-write
  };
  using Claims = std::list<Claim>;
  bool conflicts(const Claim& claim) const;
  io::Task<Result<void>> write_range(MappedRange range, std::vector<block::ConstPiece> pieces, block::Fua fua);
  io::Task<Result<void>> rewrite_block(uint64_t block_offset, uint32_t skip, std::vector<block::ConstPiece> pieces,
                                       uint32_t length, block::Fua fua);

  block::BlockStore& store_;
  Claims claims_;
  io::Event released_;
};

}  // namespace pnfs::volume
