// Private to this folder: a growing byte sequence in chunks that never move, so that a device write can gather from it
// while it grows. Unwritten bytes are zeros, also behind size() within the last chunk: a device write may round up.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace pnfs::volume {

class ChunkedBytes {
 public:
  static constexpr uint64_t kChunkBytes = 256 * 1024;

  uint64_t size() const { return size_; }

  void read(uint64_t offset, std::span<std::byte> into) const {
    each(offset, into.size(), [&](uint64_t at, uint64_t done, uint64_t n) {
      std::memcpy(into.data() + done, chunks_[at / kChunkBytes].get() + at % kChunkBytes, n);
    });
  }

  void write(uint64_t offset, std::span<const std::byte> from) {
    resize(std::max(size_, offset + from.size()));
    each(offset, from.size(), [&](uint64_t at, uint64_t done, uint64_t n) {
      std::memcpy(chunks_[at / kChunkBytes].get() + at % kChunkBytes, from.data() + done, n);
    });
  }

  void resize(uint64_t size) {
    const uint64_t chunks = (size + kChunkBytes - 1) / kChunkBytes;
    while (chunks_.size() < chunks) chunks_.push_back(std::make_unique<std::byte[]>(kChunkBytes));
    if (size < size_) {
      chunks_.resize(chunks);
      if (size % kChunkBytes != 0) {
        std::memset(chunks_.back().get() + size % kChunkBytes, 0, kChunkBytes - size % kChunkBytes);
      }
    }
    size_ = size;
  }

  // The memory of [offset, offset + length), which must lie within the chunks that hold size().
  template <class PieceType>
  void gather(uint64_t offset, uint64_t length, std::vector<PieceType>& out) const {
    each(offset, length, [&](uint64_t at, uint64_t, uint64_t n) {
      out.push_back(PieceType(chunks_[at / kChunkBytes].get() + at % kChunkBytes, n));
    });
  }

 private:
  template <class Visit>
  static void each(uint64_t offset, uint64_t length, Visit visit) {
    for (uint64_t done = 0; done < length;) {
      const uint64_t at = offset + done;
      const uint64_t n = std::min(length - done, kChunkBytes - at % kChunkBytes);
      visit(at, done, n);
      done += n;
    }
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  uint64_t size_ = 0;
};

}  // namespace pnfs::volume
