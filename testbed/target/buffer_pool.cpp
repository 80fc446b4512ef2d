#include "testbed/target/buffer_pool.hpp"

#include <cstdlib>
#include <new>

namespace pnfs::target {

Buffer::~Buffer() {
  if (data_) pool_->give_back(data_, capacity_);
}

BufferPool::~BufferPool() {
  for (const auto& list : free_) {
    for (uint8_t* data : list) std::free(data);
  }
}

Buffer BufferPool::take(size_t bytes) {
  Buffer buffer;
  buffer.pool_ = this;
  size_t size = (bytes + 4095) / 4096 * 4096;
  for (size_t i = 0; i < kClasses.size(); ++i) {
    if (bytes > kClasses[i]) continue;
    size = kClasses[i];
    if (!free_[i].empty()) {
      buffer.data_ = free_[i].back();
      buffer.capacity_ = size;
      free_[i].pop_back();
      return buffer;
    }
    break;
  }
  buffer.data_ = static_cast<uint8_t*>(std::aligned_alloc(4096, size));
  if (!buffer.data_) throw std::bad_alloc();
  buffer.capacity_ = size;
  return buffer;
}

void BufferPool::give_back(uint8_t* data, size_t capacity) {
  for (size_t i = 0; i < kClasses.size(); ++i) {
    if (capacity == kClasses[i] && free_[i].size() * capacity < kKeptBytesPerClass) {
      free_[i].push_back(data);
      return;
    }
  }
  std::free(data);
}

}  // namespace pnfs::target
