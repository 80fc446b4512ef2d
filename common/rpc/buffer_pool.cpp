#include "common/rpc/buffer_pool.hpp"

#include <bit>

namespace pnfs::rpc {

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  bytes_ = std::move(other.bytes_);
  capacity_ = std::exchange(other.capacity_, 0);
  home_ = std::move(other.home_);
  return *this;
}

void Buffer::release() {
  if (!bytes_) return;
  if (const auto pool = home_.lock()) pool->put(std::move(bytes_), capacity_);
  bytes_.reset();
  capacity_ = 0;
}

std::shared_ptr<BufferPool> BufferPool::create(size_t keep_bytes) {
  return std::shared_ptr<BufferPool>(new BufferPool(keep_bytes));
}

Buffer BufferPool::take(size_t bytes) {
  const size_t capacity = std::bit_ceil(std::max(bytes, kSmallest));
  const size_t index = static_cast<size_t>(std::countr_zero(capacity) - std::countr_zero(kSmallest));
  Buffer buffer;
  buffer.capacity_ = capacity;
  buffer.home_ = weak_from_this();
  if (index < kClasses && !free_[index].empty()) {
    buffer.bytes_ = std::move(free_[index].back());
    free_[index].pop_back();
    kept_bytes_ -= capacity;
  } else {
    buffer.bytes_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
  }
  return buffer;
}

void BufferPool::put(std::unique_ptr<std::byte[]> bytes, size_t capacity) {
  const size_t index = static_cast<size_t>(std::countr_zero(capacity) - std::countr_zero(kSmallest));
  if (index >= kClasses || kept_bytes_ + capacity > keep_bytes_) return;
  free_[index].push_back(std::move(bytes));
  kept_bytes_ += capacity;
}

}  // namespace pnfs::rpc
