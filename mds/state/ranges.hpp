// The byte ranges one lock-owner holds on one file, with POSIX merging and splitting (RFC 8881 9.2: a lock request may
// cover, split or change earlier locks of the same owner). Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace pnfs::mds::state {

// Both ends inclusive; last == UINT64_MAX reaches to the end of the file however far it grows.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t last = UINT64_MAX;

  bool overlaps(const ByteRange& other) const { return begin <= other.last && other.begin <= last; }
  bool operator==(const ByteRange&) const = default;

  // From the wire's offset and length (RFC 8881 18.10.3): nullopt when length is 0 or the end is beyond 2^64 - 1.
  // A length of all ones means "to the end".
  static std::optional<ByteRange> from_wire(uint64_t offset, uint64_t length);
  uint64_t wire_length() const { return last == UINT64_MAX ? UINT64_MAX : last - begin + 1; }
};

struct HeldRange {
  ByteRange range;
  bool exclusive = false;
  bool operator==(const HeldRange&) const = default;
};

class RangeSet {
 public:
  // Afterwards exactly `range` is held in this mode; neighbours of the same mode merge.
  void lock(ByteRange range, bool exclusive);
  void unlock(ByteRange range);
  // The first held range that a lock of another owner would conflict with.
  std::optional<HeldRange> conflict(ByteRange range, bool exclusive) const;
  bool empty() const { return held_.empty(); }
  const std::vector<HeldRange>& held() const { return held_; }

 private:
  std::vector<HeldRange> held_;  // ascending, disjoint, no two mergeable neighbours
};

}  // namespace pnfs::mds::state
