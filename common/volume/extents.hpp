// Where file data lies. Design: there are no unwritten extents. Space is allocated only from a pool that is known to
// read as zeros; freed space is zeroed in the background before it returns to the pool.
//
// The caller's side of the contract:
//  - no data is written into an allocated extent, and no grant names it, before durable(ticket) of its allocation;
//  - remove() is called only when nobody can write there any more (grants revoked and acknowledged), or with the slot
//    of the fenced node, which keeps the space in quarantine until end_quarantine(slot).
// Changes belong to the open Catalog::Savepoint, and its rollback undoes them here as well.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/result.hpp"
#include "common/volume/extent_map.hpp"
#include "common/volume/types.hpp"

namespace pnfs::volume {

class ExtentsImpl;

struct SpaceReport {
  uint64_t total_bytes = 0;  // the data area
  uint64_t free_bytes = 0;   // zeroed + dirty
  uint64_t zeroed_bytes = 0;
  uint64_t quarantined_bytes = 0;
};

class Extents {
 public:
  explicit Extents(std::unique_ptr<ExtentsImpl> impl);
  ~Extents();

  // Maps every hole of [offset, offset + length), rounded outwards to kExtentAlign; allocation happens in pieces of
  // allocation_bytes (1 MiB unless set at mkfs), so the result may reach beyond what was asked. Returns the file's
  // extents that touch the rounded range.
  // no_space: the volume is full; busy: free space is still being zeroed (DELAY).
  Result<std::vector<Extent>> allocate(FileId file, uint64_t offset, uint64_t length);
  // All extents that touch the range, whole, in file order.
  Result<std::vector<Extent>> get(FileId file, uint64_t offset = 0, uint64_t length = UINT64_MAX);
  // Unmaps from `offset` (rounded up to kExtentAlign) to the end of `length`; returns what was freed. The caller zeroes
  // the tail of a partial block itself (it is file data).
  Result<std::vector<Extent>> remove(FileId file, uint64_t offset, uint64_t length = UINT64_MAX,
                                     std::optional<uint32_t> quarantine_for_slot = std::nullopt);
  // The fenced node can no longer write (lease and margin passed): its quarantined space is freed. Bytes freed.
  Result<uint64_t> end_quarantine(uint32_t slot);
  // Bytes mapped for the file (what space_used reports).
  Result<uint64_t> mapped_bytes(FileId file);

  SpaceReport space() const;
  ExtentsImpl& impl() { return *impl_; }  // for this folder

 private:
  std::unique_ptr<ExtentsImpl> impl_;
};

}  // namespace pnfs::volume
