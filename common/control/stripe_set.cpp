#include "common/control/stripe_set.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pnfs::control {

namespace {
constexpr uint32_t kMaxStripeCount = 4096;  // NFL4 stripe count limit of the clients (linux-client: 4096)
}

ByteRange ByteRange::clipped_to(const ByteRange& other) const {
  return {std::max(offset, other.offset), std::min(end, other.end)};
}

ByteRange range_of(uint64_t offset, uint64_t length) {
  if (length == UINT64_MAX || offset > UINT64_MAX - length) return {offset, kToEnd};
  return {offset, offset + length};
}

uint32_t StripeSet::index_of(uint64_t offset) const {
  if (count <= 1) return 0;
  // Bytes before the pattern's start belong to no layout; they are counted as its first unit, which keeps this total.
  const uint64_t number = offset < pattern_offset ? 0 : (offset - pattern_offset) / unit_bytes;
  return static_cast<uint32_t>((number % count + first_index) % count);
}

bool StripeSet::has_index(uint32_t index) const {
  return std::binary_search(indices.begin(), indices.end(), index);
}

void StripeSet::for_each_run(const ByteRange& range, const std::function<void(ByteRange)>& visit) const {
  const ByteRange inside = range.clipped_to(window);
  if (inside.empty()) return;
  if (indices.size() == count) return visit(inside);
  ByteRange run{0, 0};
  for (uint64_t at = inside.offset; at < inside.end;) {
    uint64_t unit_end = pattern_offset + unit_bytes;
    if (at >= pattern_offset) {
      const uint64_t into_unit = (at - pattern_offset) % unit_bytes;
      unit_end = at > UINT64_MAX - (unit_bytes - into_unit) ? UINT64_MAX : at + (unit_bytes - into_unit);
    }
    const uint64_t end = std::min(unit_end, inside.end);
    if (has_index(index_of(at))) {
      if (run.end == at && !run.empty()) {
        run.end = end;
      } else {
        if (!run.empty()) visit(run);
        run = {at, end};
      }
    }
    at = end;
  }
  if (!run.empty()) visit(run);
}

bool StripeSet::contains(const ByteRange& range) const {
  if (range.empty()) return true;
  if (!window.contains(range)) return false;
  if (indices.size() == count) return true;
  // Longer than one whole pattern: it meets every index, and one of them is missing.
  if (range.length() / unit_bytes > count) return false;
  uint64_t covered = 0;
  for_each_run(range, [&](ByteRange run) { covered += run.length(); });
  return covered == range.length();
}

bool StripeSet::touches(const ByteRange& range) const {
  ByteRange inside = range.clipped_to(window);
  if (inside.empty() || indices.empty()) return false;
  if (indices.size() == count) return true;
  if (inside.length() / unit_bytes > count) return true;
  bool any = false;
  for_each_run(inside, [&](ByteRange) { any = true; });
  return any;
}

bool StripeSet::same_pattern(const StripeSet& other) const {
  if (count == 1 && other.count == 1) return true;
  return count == other.count && unit_bytes == other.unit_bytes && pattern_offset == other.pattern_offset &&
         first_index == other.first_index;
}

bool StripeSet::intersects(const StripeSet& other) const {
  if (!window.overlaps(other.window)) return false;
  if (!same_pattern(other)) {
    // One side covers its whole window: then the other side's stripes decide.
    const ByteRange common = window.clipped_to(other.window);
    if (indices.size() == count) return other.touches(common);
    if (other.indices.size() == other.count) return touches(common);
    return true;
  }
  std::vector<uint32_t> shared;
  std::set_intersection(indices.begin(), indices.end(), other.indices.begin(), other.indices.end(),
                        std::back_inserter(shared));
  if (shared.empty()) return false;
  StripeSet both = *this;
  both.indices = std::move(shared);
  return both.touches(window.clipped_to(other.window));
}

bool StripeSet::valid() const {
  if (count == 0 || count > kMaxStripeCount || first_index >= count || window.empty() || indices.empty()) return false;
  if (count > 1 && (unit_bytes == 0 || unit_bytes > (UINT64_MAX >> 16))) return false;
  if (pattern_offset > UINT64_MAX / 2) return false;
  for (size_t i = 0; i < indices.size(); ++i)
    if (indices[i] >= count || (i > 0 && indices[i] <= indices[i - 1])) return false;
  return true;
}

StripeSet StripeSet::whole(ByteRange window) {
  return {.window = window};
}

std::string to_string(const ByteRange& range) {
  if (range.end == kToEnd) return fmt::format("[{}, end)", range.offset);
  return fmt::format("[{}, {})", range.offset, range.end);
}

std::string to_string(const StripeSet& set) {
  if (set.count == 1) return to_string(set.window);
  return fmt::format("{} unit {} of {}: {}", to_string(set.window), set.unit_bytes, set.count,
                     fmt::join(set.indices, ","));
}

}  // namespace pnfs::control
