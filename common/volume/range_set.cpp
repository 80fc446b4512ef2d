#include "common/volume/range_set.hpp"

#include <algorithm>
#include <cassert>

namespace pnfs::volume {

bool RangeSet::overlaps(ByteRange range) const {
  auto next = ranges_.lower_bound(range.offset);
  if (next != ranges_.end() && next->first < range.end()) return true;
  return next != ranges_.begin() && std::prev(next)->first + std::prev(next)->second > range.offset;
}

bool RangeSet::add(ByteRange range) {
  if (range.length == 0) return true;
  if (overlaps(range)) return false;
  bytes_ += range.length;
  auto next = ranges_.lower_bound(range.offset);
  if (next != ranges_.end() && next->first == range.end()) {
    range.length += next->second;
    next = ranges_.erase(next);
  }
  if (next != ranges_.begin() && std::prev(next)->first + std::prev(next)->second == range.offset) {
    std::prev(next)->second += range.length;
  } else {
    ranges_.emplace_hint(next, range.offset, range.length);
  }
  return true;
}

void RangeSet::remove(ByteRange range) {
  if (range.length == 0) return;
  assert(contains(range));
  auto it = std::prev(ranges_.upper_bound(range.offset));
  const uint64_t end = it->first + it->second;
  bytes_ -= range.length;
  if (it->first == range.offset) {
    it = ranges_.erase(it);
  } else {
    it->second = range.offset - it->first;
    ++it;
  }
  if (range.end() < end) ranges_.emplace_hint(it, range.end(), end - range.end());
}

std::optional<ByteRange> RangeSet::holding(uint64_t offset) const {
  auto it = ranges_.upper_bound(offset);
  if (it == ranges_.begin()) return std::nullopt;
  --it;
  if (it->first + it->second <= offset) return std::nullopt;
  return ByteRange{it->first, it->second};
}

bool RangeSet::contains(ByteRange range) const {
  const auto found = holding(range.offset);
  return found && found->end() >= range.end();
}

std::optional<ByteRange> RangeSet::next_from(uint64_t offset) const {
  if (ranges_.empty()) return std::nullopt;
  auto it = ranges_.lower_bound(offset);
  if (it == ranges_.end()) it = ranges_.begin();
  return ByteRange{it->first, it->second};
}

void RangeSet::clear() {
  ranges_.clear();
  bytes_ = 0;
}

}  // namespace pnfs::volume
