#include "common/volume/extent_map.hpp"

#include <algorithm>
#include <stdexcept>

namespace pnfs::volume {

namespace {
// The first extent that ends after `offset`.
auto first_ending_after(const std::vector<Extent>& extents, uint64_t offset) {
  return std::partition_point(extents.begin(), extents.end(),
                              [offset](const Extent& e) { return e.file_end() <= offset; });
}

bool continues(const Extent& a, const Extent& b) {
  return a.file_end() == b.file_offset && a.volume_end() == b.volume_offset;
}

bool well_formed(const Extent& e) {
  return e.length != 0 && (e.file_offset | e.volume_offset | e.length) % kExtentAlign == 0 &&
         e.file_offset <= UINT64_MAX - e.length && e.volume_offset <= UINT64_MAX - e.length;
}
}  // namespace

ExtentMap::ExtentMap(std::vector<Extent> extents) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.file_offset < b.file_offset; });
  extents_.reserve(extents.size());
  for (const Extent& extent : extents) {
    if (!add_checked(extent)) throw std::logic_error("overlapping or misaligned extents");
  }
}

bool ExtentMap::add_checked(const Extent& extent) {
  if (!well_formed(extent)) return false;
  auto at = extents_.begin() + (first_ending_after(extents_, extent.file_offset) - extents_.cbegin());
  if (at != extents_.end() && at->file_offset < extent.file_end()) return false;
  const bool joins_next = at != extents_.end() && continues(extent, *at);
  if (at != extents_.begin() && continues(*(at - 1), extent)) {
    (at - 1)->length += extent.length;
    if (joins_next) {
      (at - 1)->length += at->length;
      extents_.erase(at);
    }
  } else if (joins_next) {
    at->file_offset = extent.file_offset;
    at->volume_offset = extent.volume_offset;
    at->length += extent.length;
  } else {
    extents_.insert(at, extent);
  }
  return true;
}

void ExtentMap::remove(uint64_t offset, uint64_t length, std::vector<Extent>* removed) {
  const uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
  std::vector<Extent> kept;
  kept.reserve(extents_.size() + 1);
  for (const Extent& e : extents_) {
    const uint64_t cut_begin = std::max(e.file_offset, offset);
    const uint64_t cut_end = std::min(e.file_end(), end);
    if (cut_begin >= cut_end) {
      kept.push_back(e);
      continue;
    }
    if (removed != nullptr) {
      removed->push_back({cut_begin, e.volume_offset + (cut_begin - e.file_offset), cut_end - cut_begin});
    }
    if (e.file_offset < cut_begin) kept.push_back({e.file_offset, e.volume_offset, cut_begin - e.file_offset});
    if (cut_end < e.file_end()) {
      kept.push_back({cut_end, e.volume_offset + (cut_end - e.file_offset), e.file_end() - cut_end});
    }
  }
  extents_ = std::move(kept);
}

void ExtentMap::map(uint64_t offset, uint64_t length, std::vector<MappedRange>& out) const {
  out.clear();
  const uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
  uint64_t at = offset;
  for (auto it = first_ending_after(extents_, offset); at < end; ++it) {
    const uint64_t next = it == extents_.end() ? end : std::min(end, it->file_offset);
    if (at < next) {
      out.push_back({at, next - at, 0, true});
      at = next;
    }
    if (at >= end) break;
    const uint64_t stop = std::min(end, it->file_end());
    const uint64_t volume_offset = it->volume_offset + (at - it->file_offset);
    if (!out.empty() && !out.back().hole && out.back().volume_offset + out.back().length == volume_offset) {
      out.back().length += stop - at;
    } else {
      out.push_back({at, stop - at, volume_offset, false});
    }
    at = stop;
  }
}

bool ExtentMap::covers(uint64_t offset, uint64_t length) const {
  const uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
  uint64_t at = offset;
  for (auto it = first_ending_after(extents_, offset); at < end; ++it) {
    if (it == extents_.end() || it->file_offset > at) return false;
    at = it->file_end();
  }
  return true;
}

uint64_t ExtentMap::mapped_bytes() const {
  uint64_t bytes = 0;
  for (const Extent& e : extents_) bytes += e.length;
  return bytes;
}

}  // namespace pnfs::volume
