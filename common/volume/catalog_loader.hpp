// Private to this folder: reads a catalog from the LUN into memory.
#pragma once

#include <memory>

#include "common/block/block_store.hpp"
#include "common/volume/memory_vfs.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

struct LoadedCatalog {
  std::unique_ptr<MemoryVfs> vfs;
  GenerationMark mark;
};

// [at, at + length) of `bytes`, whose chunks nobody shares, from the device region that begins at `offset`.
io::Task<Result<void>> read_into(block::BlockStore& store, uint64_t offset, const ChunkedBytes& bytes, uint64_t at,
                                 uint64_t length);
// The valid mark of the highest generation.
io::Task<Result<GenerationMark>> read_mark(block::BlockStore& store, const Superblock& superblock);
// A consistent pair of image and log, also while another process has the volume mounted (busy when it changes too
// fast).
io::Task<Result<LoadedCatalog>> load_catalog(block::BlockStore& store, const Superblock& superblock,
                                             uint64_t max_bytes);

}  // namespace pnfs::volume
