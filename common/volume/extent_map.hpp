// Maps file ranges to volume ranges, holes included. Pure: no I/O, no catalog. The MDS fills one from the catalog, a
// data server from a grant.
#pragma once

#include <cstdint>
#include <vector>

#include "common/volume/types.hpp"

namespace pnfs::volume {

// One stretch of an answer, in file order, without gaps: a hole reads as zeros and cannot be written.
struct MappedRange {
  uint64_t file_offset = 0;
  uint64_t length = 0;
  uint64_t volume_offset = 0;  // meaningless for a hole
  bool hole = false;
  bool operator==(const MappedRange&) const = default;
};

class ExtentMap {
 public:
  ExtentMap() = default;
  // Any order; overlapping file ranges are a programmer's mistake: check what comes from outside with add_checked().
  explicit ExtentMap(std::vector<Extent> extents);

  // Inserts and joins with neighbours that continue it in the file and on the volume. False (and nothing changed) when
  // it overlaps a mapped range, is empty, misaligned or wraps around.
  bool add_checked(const Extent& extent);
  // Unmaps [offset, offset + length); what is cut out is appended to *removed when given.
  void remove(uint64_t offset, uint64_t length, std::vector<Extent>* removed = nullptr);
  void clear() { extents_.clear(); }

  // Covers [offset, offset + length) exactly, adjacent stretches joined. `out` is cleared first (reuse it: no
  // allocation once it has grown).
  void map(uint64_t offset, uint64_t length, std::vector<MappedRange>& out) const;
  // True when no byte of the range is a hole.
  bool covers(uint64_t offset, uint64_t length) const;
  uint64_t mapped_bytes() const;
  bool empty() const { return extents_.empty(); }
  const std::vector<Extent>& extents() const { return extents_; }  // sorted by file offset

 private:
  std::vector<Extent> extents_;
};

}  // namespace pnfs::volume
