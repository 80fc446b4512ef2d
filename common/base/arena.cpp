#include "common/base/arena.hpp"

#include <algorithm>

namespace pnfs {

void* Arena::allocate_block(size_t bytes, size_t align) {
  const size_t doubled = blocks_.empty() ? kFirstBlockBytes : std::min<size_t>(blocks_.back().size * 2, 1 << 18);
  const size_t size = std::max(doubled, bytes + align);
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  reserved_ += size;
  next_ = blocks_.back().bytes.get();
  left_ = size;
  return allocate(bytes, align);
}

void Arena::reset() {
  if (blocks_.empty()) return;
  blocks_.resize(1);
  reserved_ = blocks_.front().size;
  next_ = blocks_.front().bytes.get();
  left_ = blocks_.front().size;
}

}  // namespace pnfs
