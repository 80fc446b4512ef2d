// Buffers for received records, kept for reuse by size (powers of two): a busy server allocates none.
// Single-threaded. A buffer may outlive its pool: it is then simply freed.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace pnfs::rpc {

class BufferPool;

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { release(); }

  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }
  size_t capacity() const { return capacity_; }

 private:
  friend class BufferPool;
  void release();

  std::unique_ptr<std::byte[]> bytes_;
  size_t capacity_ = 0;
  std::weak_ptr<BufferPool> home_;
};

class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  // Bytes kept for reuse; what comes back beyond that is freed.
  static std::shared_ptr<BufferPool> create(size_t keep_bytes = 64u << 20);

  // At least `bytes`, uninitialised.
  Buffer take(size_t bytes);
  size_t kept_bytes() const { return kept_bytes_; }

 private:
  friend class Buffer;
  static constexpr size_t kSmallest = 1024;
  static constexpr size_t kClasses = 24;

  explicit BufferPool(size_t keep_bytes) : keep_bytes_(keep_bytes) {}
  void put(std::unique_ptr<std::byte[]> bytes, size_t capacity);

  size_t keep_bytes_;
  size_t kept_bytes_ = 0;
  std::array<std::vector<std::unique_ptr<std::byte[]>>, kClasses> free_;
};

}  // namespace pnfs::rpc
