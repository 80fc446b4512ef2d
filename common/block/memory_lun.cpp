#include <algorithm>
#include <cstring>

#include "common/block/memory_block_store.hpp"

namespace pnfs::block {

namespace {
constexpr uint64_t kChunkBytes = 64 * 1024;
}

MemoryLun::MemoryLun(MemoryLunOptions options) : options_(options) {}

void MemoryLun::read(uint64_t offset, std::span<std::byte> into) const {
  for (size_t done = 0; done < into.size();) {
    const uint64_t at = offset + done;
    const size_t n = std::min<uint64_t>(into.size() - done, kChunkBytes - at % kChunkBytes);
    const auto chunk = media_.find(at / kChunkBytes);
    if (chunk == media_.end()) {
      std::memset(into.data() + done, 0, n);
    } else {
      std::memcpy(into.data() + done, chunk->second.data() + at % kChunkBytes, n);
    }
    done += n;
  }
  const uint64_t end = offset + into.size();
  const uint64_t block_bytes = options_.block_bytes;
  for (auto it = cache_.lower_bound(offset / block_bytes); it != cache_.end() && it->first * block_bytes < end; ++it) {
    const uint64_t begin = std::max(offset, it->first * block_bytes);
    const uint64_t stop = std::min(end, (it->first + 1) * block_bytes);
    std::memcpy(into.data() + (begin - offset), it->second.data() + begin % block_bytes, stop - begin);
  }
}

void MemoryLun::write(uint64_t offset, std::span<const std::byte> from, bool through) {
  const uint64_t block_bytes = options_.block_bytes;
  for (size_t done = 0; done < from.size(); done += block_bytes) {
    const auto bytes = from.subspan(done, block_bytes);
    const uint64_t block = (offset + done) / block_bytes;
    if (through) {
      cache_.erase(block);
      destage_block(block, bytes);
    } else {
      cache_.insert_or_assign(block, Bytes(bytes.begin(), bytes.end()));
    }
  }
}

// Visits only what exists, so that a huge sparse LUN costs nothing.
void MemoryLun::zero(uint64_t offset, uint64_t length) {
  const uint64_t end = offset + length;
  const uint64_t block_bytes = options_.block_bytes;
  for (auto it = media_.lower_bound(offset / kChunkBytes); it != media_.end() && it->first * kChunkBytes < end; ++it) {
    const uint64_t begin = std::max(offset, it->first * kChunkBytes);
    const uint64_t stop = std::min(end, (it->first + 1) * kChunkBytes);
    for (uint64_t block = begin / block_bytes; block < stop / block_bytes; ++block) {
      cache_.insert_or_assign(block, Bytes(block_bytes));
    }
  }
  for (auto it = cache_.lower_bound(offset / block_bytes); it != cache_.end() && it->first * block_bytes < end; ++it) {
    std::fill(it->second.begin(), it->second.end(), std::byte{0});
  }
}

void MemoryLun::destage_block(uint64_t block, std::span<const std::byte> bytes) {
  const uint64_t at = block * options_.block_bytes;
  Bytes& chunk = media_[at / kChunkBytes];
  if (chunk.empty()) chunk.resize(kChunkBytes);
  std::memcpy(chunk.data() + at % kChunkBytes, bytes.data(), bytes.size());
}

void MemoryLun::destage() {
  for (const auto& [block, bytes] : cache_) destage_block(block, bytes);
  cache_.clear();
}

void MemoryLun::destage(uint64_t offset, uint64_t length) {
  const uint64_t end = (offset + length) / options_.block_bytes;
  for (auto it = cache_.lower_bound(offset / options_.block_bytes); it != cache_.end() && it->first < end;) {
    destage_block(it->first, it->second);
    it = cache_.erase(it);
  }
}

void MemoryLun::crash(Random& random) {
  up_ = false;
  // A device loses all of its cache, none of it, or any subset: a write of many blocks is then torn.
  const uint64_t mode = random.below(4);
  for (const auto& [block, bytes] : cache_) {
    const bool kept = mode == 0 ? false : mode == 1 ? true : random.chance(1, 2);
    if (kept) destage_block(block, bytes);
  }
  cache_.clear();
}

void MemoryLun::restart() {
  up_ = true;
  ++restarts_;
  if (!options_.aptpl) {
    registrations_.clear();
    holder_nexus_ = 0;
    pr_generation_ = 0;
  }
}

std::vector<std::byte> MemoryLun::peek(uint64_t offset, uint64_t length) const {
  std::vector<std::byte> bytes(length);
  read(offset, bytes);
  return bytes;
}

void MemoryLun::poke(uint64_t offset, std::span<const std::byte> bytes) {
  // Any alignment: through whole blocks.
  const uint64_t block_bytes = options_.block_bytes;
  const uint64_t begin = offset / block_bytes * block_bytes;
  const uint64_t end = (offset + bytes.size() + block_bytes - 1) / block_bytes * block_bytes;
  std::vector<std::byte> blocks = peek(begin, end - begin);
  std::copy(bytes.begin(), bytes.end(), blocks.begin() + static_cast<ptrdiff_t>(offset - begin));
  write(begin, blocks, true);
}

uint64_t MemoryLun::unflushed_bytes() const {
  return cache_.size() * options_.block_bytes;
}

std::unique_ptr<MemoryLun> MemoryLun::clone() const {
  return std::make_unique<MemoryLun>(*this);
}

}  // namespace pnfs::block
