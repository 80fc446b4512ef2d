// Private to this folder: disjoint byte ranges, joined when they touch.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace pnfs::volume {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t end() const { return offset + length; }
  bool operator==(const ByteRange&) const = default;
};

class RangeSet {
 public:
  // False (and nothing changed) when it overlaps what is there.
  bool add(ByteRange range);
  // The range must be wholly inside.
  void remove(ByteRange range);
  bool contains(ByteRange range) const;
  bool overlaps(ByteRange range) const;
  // The joined range that holds this byte.
  std::optional<ByteRange> holding(uint64_t offset) const;
  // The first range at or after `offset`, wrapping around to the lowest.
  std::optional<ByteRange> next_from(uint64_t offset) const;
  uint64_t bytes() const { return bytes_; }
  bool empty() const { return ranges_.empty(); }
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }  // offset -> length
  void clear();

 private:
  std::map<uint64_t, uint64_t> ranges_;
  uint64_t bytes_ = 0;
};

}  // namespace pnfs::volume
