// Private to this folder: free space in memory beside the catalog's extents, zeroed and quarantine tables.
//
// A byte of the data area is in exactly one place: an extent of a file, the zeroed pool (table and memory), quarantine
// (table and memory), or dirty: freed or never used, to be zeroed before use. Dirty space has no table; it is what is
// left. Space freed by a change that is not yet durable waits aside: after a crash the file may still own it.
#pragma once

#include <deque>

#include "common/volume/catalog_impl.hpp"
#include "common/volume/extents.hpp"
#include "common/volume/range_set.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

class ExtentsImpl final : public Participant {
 public:
  // Builds the free lists from the tables; corrupt when they overlap or leave the data area.
  static Result<std::unique_ptr<ExtentsImpl>> load(Catalog& catalog, const Superblock& superblock);
  ExtentsImpl(Catalog& catalog, const Superblock& superblock);

  Result<std::vector<Extent>> allocate(FileId file, uint64_t offset, uint64_t length);
  Result<std::vector<Extent>> get(FileId file, uint64_t offset, uint64_t length);
  Result<std::vector<Extent>> remove(FileId file, uint64_t offset, uint64_t length, std::optional<uint32_t> slot);
  Result<uint64_t> end_quarantine(uint32_t slot);
  Result<uint64_t> mapped_bytes(FileId file);
  SpaceReport space() const;

  // For the zeroing task: a dirty range of at most `limit` bytes, set aside until finish_zeroing() or give_back().
  std::optional<ByteRange> take_dirty(uint64_t limit);
  Result<void> finish_zeroing(ByteRange range);  // the range reads as zeros, durably
  void give_back(ByteRange range);
  uint64_t zeroed_bytes() const { return zeroed_.bytes(); }
  bool wants_zeroing() const { return starved_; }  // an allocation found no zeroed space

  size_t mark() const override { return undo_.size(); }
  void undo_to(size_t mark) override;
  void forget() override { undo_.clear(); }

 private:
  struct Undo {
    enum class Kind { zeroed_taken, zeroed_added, freed, quarantined, unquarantined } kind;
    ByteRange range;
    uint32_t slot = 0;
  };
  struct Freed {
    ByteRange range;
    Ticket ticket;
  };

  Result<void> fill_hole(FileId file, uint64_t begin, uint64_t end, uint64_t goal);
  std::optional<ByteRange> pick(uint64_t goal, uint64_t wanted) const;
  Result<void> take_zeroed(ByteRange range);
  Result<void> put_zeroed(ByteRange range);
  Result<void> rewrite_zeroed_row(std::optional<ByteRange> before, std::optional<ByteRange> after);
  Result<void> insert_extent(FileId file, const Extent& extent);
  Result<void> insert_row(FileId file, const Extent& extent);
  Result<void> delete_row(FileId file, uint64_t file_offset);
  void free_later(ByteRange range);
  void settle();

  Catalog& catalog_;
  CatalogImpl& impl_;
  ByteRange area_;
  uint64_t allocation_bytes_;
  RangeSet zeroed_;
  RangeSet dirty_;
  std::deque<Freed> freed_;  // by ticket
  uint64_t freed_bytes_ = 0;
  uint64_t zeroing_bytes_ = 0;
  std::map<uint64_t, std::pair<uint64_t, uint32_t>> quarantine_;  // offset -> length, slot
  uint64_t quarantined_bytes_ = 0;
  uint64_t next_goal_ = 0;  // where a new file starts looking
  bool starved_ = false;
  std::vector<Undo> undo_;
};

}  // namespace pnfs::volume
