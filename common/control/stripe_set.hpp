// A stripe set: the bytes of a file that one node may work on, as a window of the file crossed with some of its
// stripes. Grants between nodes are held on stripe sets, so that data servers that share a striped file never conflict.
//
// Byte `o` lies in stripe index ((o - pattern_offset) / unit_bytes + first_index) mod count (RFC 8881 13.4.2); with
// count 1 every byte does. Pure values; offsets and lengths in bytes, `end` exclusive.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pnfs::control {

inline constexpr uint64_t kToEnd = UINT64_MAX;

struct ByteRange {
  uint64_t offset = 0;
  uint64_t end = kToEnd;
  bool empty() const { return end <= offset; }
  uint64_t length() const { return empty() ? 0 : end - offset; }
  bool overlaps(const ByteRange& other) const { return offset < other.end && other.offset < end; }
  bool contains(const ByteRange& other) const { return offset <= other.offset && other.end <= end; }
  ByteRange clipped_to(const ByteRange& other) const;
  bool operator==(const ByteRange&) const = default;
};

// `length` NFS4_UINT64_MAX means "to the end" (RFC 8881 18.43.3); an offset + length past 2^64 saturates.
ByteRange range_of(uint64_t offset, uint64_t length);

struct StripeSet {
  ByteRange window;
  uint64_t unit_bytes = 0;           // not used when count is 1
  uint32_t count = 1;                // stripe indices of the pattern
  uint64_t pattern_offset = 0;
  uint32_t first_index = 0;
  std::vector<uint32_t> indices{0};  // sorted, unique, each below count

  uint32_t index_of(uint64_t offset) const;
  bool has_index(uint32_t index) const;
  // Every byte of the range is in the set.
  bool contains(const ByteRange& range) const;
  // Some byte of the range is in the set.
  bool touches(const ByteRange& range) const;
  // Some byte may be in both. Sets with different patterns are compared by their windows alone: never wrongly false.
  bool intersects(const StripeSet& other) const;
  // Calls `visit` for each maximal run of bytes of the set inside `range`, in order.
  void for_each_run(const ByteRange& range, const std::function<void(ByteRange)>& visit) const;
  // A pattern that makes sense and whose numbers are in range; false for what a broken peer may send.
  bool valid() const;
  bool same_pattern(const StripeSet& other) const;
  bool operator==(const StripeSet&) const = default;

  // The whole window, whatever the striping.
  static StripeSet whole(ByteRange window);
};

// "[0, 134217728) unit 65536 of 2: 0" for `pnfslab locks` and for reasons.
std::string to_string(const StripeSet& set);
std::string to_string(const ByteRange& range);

}  // namespace pnfs::control
