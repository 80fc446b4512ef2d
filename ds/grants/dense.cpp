#include "ds/grants/dense.hpp"

#include <algorithm>

namespace pnfs::ds {

std::vector<control::ByteRange> dense_to_file(const control::StripeSet& set, uint32_t index, uint64_t offset,
                                              uint64_t end) {
  std::vector<control::ByteRange> out;
  const uint64_t unit = set.unit_bytes;
  const uint64_t position = (index + set.count - set.first_index) % set.count;  // of this index within the pattern
  while (offset < end) {
    const uint64_t stripe = offset / unit;
    const uint64_t into = offset % unit;
    const uint64_t length = std::min(unit - into, end - offset);
    if (stripe > (UINT64_MAX - set.pattern_offset) / unit / set.count - 1) break;
    const uint64_t at = set.pattern_offset + (stripe * set.count + position) * unit + into;
    if (!out.empty() && out.back().end == at) {
      out.back().end = at + length;
    } else {
      out.push_back({at, at + length});
    }
    offset += length;
  }
  return out;
}

}  // namespace pnfs::ds
