#include "common/volume/catalog_loader.hpp"

#include "common/volume/log_frames.hpp"

namespace pnfs::volume {

namespace {

using Salts = std::array<std::byte, 8>;

// How far the log's frames belong to its header (by their salts). SQLite checks the checksums itself.
uint64_t valid_log_bytes(const ChunkedBytes& log, uint64_t from, uint64_t available, const Salts& salts) {
  uint64_t at = from;
  while (at + kFrameBytes <= available) {
    Salts frame;
    log.read(at + 8, frame);
    if (frame != salts) break;
    at += kFrameBytes;
  }
  return at;
}

bool is_log_header(const ChunkedBytes& log) {
  std::array<std::byte, 4> magic;
  log.read(0, magic);
  return magic[0] == std::byte{0x37} && magic[1] == std::byte{0x7f} && magic[2] == std::byte{0x06} &&
         (magic[3] == std::byte{0x82} || magic[3] == std::byte{0x83});
}

// Reads on only while frames belong to the log, so that an idle log costs one read.
io::Task<Result<void>> read_log(block::BlockStore& store, const Superblock& superblock, const Salts& retired,
                                ChunkedBytes& log) {
  uint64_t have = 0;
  uint64_t valid = kLogHeaderBytes;
  Salts salts{};
  for (uint64_t step = 64 * 1024; have < superblock.log.length; step = 1 << 20) {
    const uint64_t want = std::min(have + step, superblock.log.length);
    log.resize(want);
    Result<void> ok = co_await read_into(store, superblock.log.offset, log, have, want - have);
    if (!ok) co_return ok.error();
    if (have == 0) {
      log.read(16, salts);
      if (!is_log_header(log) || salts == retired) {
        log.resize(0);
        co_return Result<void>();
      }
    }
    have = want;
    valid = valid_log_bytes(log, valid, have, salts);
    if (valid + kFrameBytes <= have) break;
  }
  log.resize(valid > kLogHeaderBytes ? valid : 0);
  co_return Result<void>();
}

}  // namespace

io::Task<Result<void>> read_into(block::BlockStore& store, uint64_t offset, const ChunkedBytes& bytes, uint64_t at,
                                 uint64_t length) {
  while (length > 0) {
    const uint64_t n = std::min<uint64_t>(length, 1 << 20);
    std::vector<block::Piece> pieces;
    bytes.gather(at, n, pieces);
    Result<void> ok = co_await store.read(offset + at, pieces);
    if (!ok) co_return ok.error();
    at += n;
    length -= n;
  }
  co_return Result<void>();
}

io::Task<Result<GenerationMark>> read_mark(block::BlockStore& store, const Superblock& superblock) {
  std::vector<std::byte> blocks(2 * kMetaBlockBytes);
  const block::Piece pieces[] = {blocks};
  if (auto ok = co_await store.read(superblock.marks.offset, pieces); !ok) co_return ok.error();
  const auto first = decode_mark(std::span(blocks).first(kMetaBlockBytes));
  const auto second = decode_mark(std::span(blocks).last(kMetaBlockBytes));
  if (!first && !second) co_return first.error().with_context("both generation blocks are bad");
  if (!second || (first && first->generation > second->generation)) co_return *first;
  co_return *second;
}

io::Task<Result<LoadedCatalog>> load_catalog(block::BlockStore& store, const Superblock& superblock,
                                             uint64_t max_bytes) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    const Result<GenerationMark> mark = co_await read_mark(store, superblock);
    if (!mark) co_return mark.error();
    const uint64_t bytes = mark->image_pages * kPageBytes;
    if (mark->image_pages == 0 || mark->image_pages > superblock.catalog.length / kPageBytes) {
      co_return error(Errc::corrupt, "the catalog is said to have {} pages; its region holds {}", mark->image_pages,
                      superblock.catalog.length / kPageBytes);
    }
    if (bytes > max_bytes) {
      co_return error(Errc::too_large, "the catalog of {} MiB exceeds the memory limit of {} MiB", bytes >> 20,
                      max_bytes >> 20);
    }
    LoadedCatalog loaded;
    loaded.vfs = std::make_unique<MemoryVfs>();
    loaded.mark = *mark;
    loaded.vfs->image.resize(bytes);
    Result<void> ok = co_await read_into(store, superblock.catalog.offset, loaded.vfs->image, 0, bytes);
    if (!ok) co_return ok.error();
    ok = co_await read_log(store, superblock, mark->retired_salts, loaded.vfs->log);
    if (!ok) co_return ok.error();
    const Result<GenerationMark> after = co_await read_mark(store, superblock);
    if (!after) co_return after.error();
    if (after->generation == mark->generation) co_return loaded;
  }
  co_return error(Errc::busy, "the catalog changed during each of five attempts to read it");
}

}  // namespace pnfs::volume
