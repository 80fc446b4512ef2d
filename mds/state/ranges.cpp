#include "mds/state/ranges.hpp"

namespace pnfs::mds::state {

std::optional<ByteRange> ByteRange::from_wire(uint64_t offset, uint64_t length) {
  if (length == 0) return std::nullopt;
  if (length == UINT64_MAX) return ByteRange{offset, UINT64_MAX};
  if (length - 1 > UINT64_MAX - offset) return std::nullopt;
  return ByteRange{offset, offset + length - 1};
}

void RangeSet::unlock(ByteRange range) {
  std::vector<HeldRange> rest;
  rest.reserve(held_.size() + 1);
  for (const HeldRange& h : held_) {
    if (!h.range.overlaps(range)) {
      rest.push_back(h);
      continue;
    }
    if (h.range.begin < range.begin) rest.push_back({{h.range.begin, range.begin - 1}, h.exclusive});
    if (h.range.last > range.last) rest.push_back({{range.last + 1, h.range.last}, h.exclusive});
  }
  held_ = std::move(rest);
}

void RangeSet::lock(ByteRange range, bool exclusive) {
  unlock(range);
  std::vector<HeldRange> merged;
  merged.reserve(held_.size() + 1);
  auto add = [&](const HeldRange& next) {
    if (!merged.empty()) {
      HeldRange& before = merged.back();
      if (before.exclusive == next.exclusive && before.range.last != UINT64_MAX &&
          before.range.last + 1 == next.range.begin) {
        before.range.last = next.range.last;
        return;
      }
    }
    merged.push_back(next);
  };
  bool added = false;
  for (const HeldRange& h : held_) {
    if (!added && h.range.begin > range.begin) {
      add({range, exclusive});
      added = true;
    }
    add(h);
  }
  if (!added) add({range, exclusive});
  held_ = std::move(merged);
}

std::optional<HeldRange> RangeSet::conflict(ByteRange range, bool exclusive) const {
  for (const HeldRange& h : held_) {
    if (h.range.overlaps(range) && (h.exclusive || exclusive)) return h;
  }
  return std::nullopt;
}

}  // namespace pnfs::mds::state
