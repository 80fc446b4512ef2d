// Data buffers for SCSI commands, kept for reuse in a few sizes: a fresh megabyte from the system costs more (page
// faults) than the transfer itself. Contents are never cleared: whoever fills one says how much of it counts.
// Not thread-safe; the pool outlives its buffers.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "testbed/target/bytes.hpp"

namespace pnfs::target {

class BufferPool;

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer();

  uint8_t* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class BufferPool;
  void swap(Buffer& other) {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(pool_, other.pool_);
  }
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
  BufferPool* pool_ = nullptr;
};

class BufferPool {
 public:
  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // At least `bytes`, aligned to 4096 (O_DIRECT needs that).
  Buffer take(size_t bytes);

 private:
  friend class Buffer;
  static constexpr std::array<size_t, 5> kClasses{4096, 16384, 65536, 262144, 1048576};
  static constexpr size_t kKeptBytesPerClass = 16u << 20;
  void give_back(uint8_t* data, size_t capacity);
  std::array<std::vector<uint8_t*>, kClasses.size()> free_;
};

}  // namespace pnfs::target
