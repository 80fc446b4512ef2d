#include "common/volume/extents_impl.hpp"
#include "common/volume/rounding.hpp"

namespace pnfs::volume {

namespace {
constexpr uint64_t kSmallestAllocation = 64 * 1024;
constexpr uint64_t kMaxFileBytes = 1ull << 62;

uint64_t round_down(uint64_t v, uint64_t unit) {
  return v / unit * unit;
}
}  // namespace

ExtentsImpl::ExtentsImpl(Catalog& catalog, const Superblock& superblock)
    : catalog_(catalog),
      impl_(catalog.impl()),
      area_{superblock.data.offset, round_down(superblock.data.length, kExtentAlign)},
      allocation_bytes_(superblock.allocation_bytes),
      next_goal_(superblock.data.offset) {}

Result<std::unique_ptr<ExtentsImpl>> ExtentsImpl::load(Catalog& catalog, const Superblock& superblock) {
  auto self = std::make_unique<ExtentsImpl>(catalog, superblock);
  CatalogImpl& impl = catalog.impl();
  self->dirty_.add(self->area_);
  // Takes a used range out of what is left; false when it is not there any more.
  auto claim = [&](ByteRange range) {
    const bool fits = range.length != 0 && range.offset % kExtentAlign == 0 && range.length % kExtentAlign == 0 &&
                      range.offset >= self->area_.offset && range.length <= self->area_.length &&
                      self->dirty_.contains(range);
    if (fits) self->dirty_.remove(range);
    return fits;
  };
  for (const char* sql :
       {"SELECT volume_offset, length, 0, 0 FROM extents", "SELECT volume_offset, length, 1, 0 FROM zeroed",
        "SELECT volume_offset, length, 2, slot FROM quarantine"}) {
    Query query(impl.sql(sql));
    for (;;) {
      auto row = query.row();
      if (!row) return row.error();
      if (!*row) break;
      const ByteRange range{query.u64(0), query.u64(1)};
      if (!claim(range)) {
        return error(Errc::corrupt, "the range {}+{} is used twice or lies outside the data area; run fsck",
                     range.offset, range.length);
      }
      if (query.u32(2) == 1) self->zeroed_.add(range);
      if (query.u32(2) == 2) {
        self->quarantine_[range.offset] = {range.length, query.u32(3)};
        self->quarantined_bytes_ += range.length;
      }
    }
  }
  impl.set_participant(self.get());
  return self;
}

SpaceReport ExtentsImpl::space() const {
  SpaceReport report;
  report.total_bytes = area_.length;
  report.zeroed_bytes = zeroed_.bytes();
  report.free_bytes = zeroed_.bytes() + dirty_.bytes() + freed_bytes_ + zeroing_bytes_;
  report.quarantined_bytes = quarantined_bytes_;
  return report;
}

// --- allocation ---

Result<std::vector<Extent>> ExtentsImpl::allocate(FileId file, uint64_t offset, uint64_t length) {
  if (length == 0 || offset > kMaxFileBytes || length > kMaxFileBytes - offset) {
    return error(Errc::invalid, "cannot allocate {} bytes at {}", length, offset);
  }
  const uint64_t asked_begin = round_down(offset, kExtentAlign);
  const uint64_t asked_end = round_up(offset + length, kExtentAlign);
  // Small files get small pieces, growing files larger ones, so that they stay contiguous.
  const uint64_t piece = std::clamp<uint64_t>(std::bit_ceil(asked_end), kSmallestAllocation,
                                              std::max(allocation_bytes_, kSmallestAllocation));
  const uint64_t begin = round_down(asked_begin, piece);
  const uint64_t end = round_up(asked_end, piece);
  // A full volume: what was asked for and no more.
  const bool generous = zeroed_.bytes() >= 2 * (end - begin);

  auto savepoint = catalog_.begin();
  if (!savepoint) return savepoint.error();
  auto existing = get(file, begin > 0 ? begin - 1 : 0, end - begin + 1);
  if (!existing) return existing.error();
  uint64_t at = generous ? begin : asked_begin;
  const uint64_t stop = generous ? end : asked_end;
  uint64_t goal = UINT64_MAX;
  for (const Extent& e : *existing) {
    if (e.file_offset > at && at < stop) {
      const uint64_t hole_end = std::min(e.file_offset, stop);
      if (auto ok = fill_hole(file, at, hole_end, goal); !ok) return ok.error();
    }
    at = std::max(at, e.file_end());
    goal = e.volume_end();
  }
  if (at < stop) {
    if (auto ok = fill_hole(file, at, stop, goal); !ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return get(file, asked_begin, asked_end - asked_begin);
}

Result<void> ExtentsImpl::fill_hole(FileId file, uint64_t begin, uint64_t end, uint64_t goal) {
  while (begin < end) {
    const auto found = pick(goal, end - begin);
    if (!found) {
      starved_ = true;
      impl_.changed().notify_all();
      if (dirty_.bytes() + freed_bytes_ + zeroing_bytes_ > 0) {
        return error(Errc::busy, "no zeroed space is left; {} MiB are being zeroed",
                     (dirty_.bytes() + freed_bytes_ + zeroing_bytes_) >> 20);
      }
      return error(Errc::no_space, "the volume is full ({} MiB, {} MiB of it in quarantine)", area_.length >> 20,
                   quarantined_bytes_ >> 20);
    }
    if (auto ok = take_zeroed(*found); !ok) return ok.error();
    if (auto ok = insert_extent(file, {begin, found->offset, found->length}); !ok) return ok.error();
    begin += found->length;
    goal = found->end();
    next_goal_ = goal;
  }
  return {};
}

// Right behind the goal when that is free, else the next free range that holds all of it, else the largest one.
std::optional<ByteRange> ExtentsImpl::pick(uint64_t goal, uint64_t wanted) const {
  if (zeroed_.empty()) return std::nullopt;
  if (goal != UINT64_MAX) {
    if (const auto here = zeroed_.holding(goal)) return ByteRange{goal, std::min(wanted, here->end() - goal)};
  }
  if (const auto here = zeroed_.holding(next_goal_); here && here->end() - next_goal_ >= wanted) {
    return ByteRange{next_goal_, wanted};
  }
  const auto& ranges = zeroed_.ranges();
  std::pair<uint64_t, uint64_t> largest{0, 0};
  for (const auto& [offset, length] : ranges) {
    if (length >= wanted) return ByteRange{offset, wanted};
    if (length > largest.second) largest = {offset, length};
  }
  return ByteRange{largest.first, largest.second};
}

// The zeroed table holds exactly the joined ranges of zeroed_: only the rows around a change are rewritten.
Result<void> ExtentsImpl::rewrite_zeroed_row(std::optional<ByteRange> before, std::optional<ByteRange> after) {
  if (before && (!after || after->offset != before->offset)) {
    Query query(impl_.sql("DELETE FROM zeroed WHERE volume_offset = ?"));
    if (auto ok = query.integer(before->offset).done(); !ok) return ok.error();
  }
  if (after) {
    Query query(
        impl_.sql("INSERT INTO zeroed VALUES(?, ?) ON CONFLICT(volume_offset) DO UPDATE SET length = excluded.length"));
    if (auto ok = query.integer(after->offset).integer(after->length).done(); !ok) return ok.error();
  }
  return {};
}

Result<void> ExtentsImpl::take_zeroed(ByteRange range) {
  const ByteRange whole = *zeroed_.holding(range.offset);
  const ByteRange left{whole.offset, range.offset - whole.offset};
  const ByteRange right{range.end(), whole.end() - range.end()};
  auto some = [](ByteRange r) { return r.length != 0 ? std::optional(r) : std::nullopt; };
  if (auto ok = rewrite_zeroed_row(whole, some(left)); !ok) return ok.error();
  if (right.length != 0) {
    if (auto ok = rewrite_zeroed_row(std::nullopt, right); !ok) return ok.error();
  }
  zeroed_.remove(range);
  undo_.push_back({Undo::Kind::zeroed_taken, range});
  return {};
}

Result<void> ExtentsImpl::put_zeroed(ByteRange range) {
  const auto left = range.offset > 0 ? zeroed_.holding(range.offset - 1) : std::nullopt;
  const auto right = zeroed_.holding(range.end());
  ByteRange joined = range;
  if (right) {
    joined.length += right->length;
    if (auto ok = rewrite_zeroed_row(right, std::nullopt); !ok) return ok.error();
  }
  if (left) joined = {left->offset, left->length + joined.length};
  if (auto ok = rewrite_zeroed_row(left, joined); !ok) return ok.error();
  zeroed_.add(range);
  undo_.push_back({Undo::Kind::zeroed_added, range});
  return {};
}

// --- zeroing ---

std::optional<ByteRange> ExtentsImpl::take_dirty(uint64_t limit) {
  settle();
  const auto first = dirty_.next_from(next_goal_);
  if (!first) return std::nullopt;
  const ByteRange range{first->offset, std::min(first->length, round_down(limit, kExtentAlign))};
  dirty_.remove(range);
  zeroing_bytes_ += range.length;
  return range;
}

Result<void> ExtentsImpl::finish_zeroing(ByteRange range) {
  auto savepoint = catalog_.begin();
  if (!savepoint) return savepoint.error();
  if (auto ok = put_zeroed(range); !ok) return ok.error();
  if (auto kept = savepoint->release(); !kept) return kept.error();
  zeroing_bytes_ -= range.length;
  starved_ = false;
  return {};
}

void ExtentsImpl::give_back(ByteRange range) {
  zeroing_bytes_ -= range.length;
  dirty_.add(range);
}

// Freed space whose freeing has become durable may be zeroed.
void ExtentsImpl::settle() {
  while (!freed_.empty() && impl_.durable_ticket() >= freed_.front().ticket) {
    freed_bytes_ -= freed_.front().range.length;
    dirty_.add(freed_.front().range);
    freed_.pop_front();
  }
}

void ExtentsImpl::free_later(ByteRange range) {
  // The open savepoint will get the next ticket.
  freed_.push_back({range, impl_.ticket() + 1});
  freed_bytes_ += range.length;
  undo_.push_back({Undo::Kind::freed, range});
}

void ExtentsImpl::undo_to(size_t mark) {
  while (undo_.size() > mark) {
    const Undo u = undo_.back();
    undo_.pop_back();
    switch (u.kind) {
      case Undo::Kind::zeroed_taken:
        zeroed_.add(u.range);
        break;
      case Undo::Kind::zeroed_added:
        zeroed_.remove(u.range);
        break;
      case Undo::Kind::freed:
        freed_.pop_back();
        freed_bytes_ -= u.range.length;
        break;
      case Undo::Kind::quarantined:
        quarantine_.erase(u.range.offset);
        quarantined_bytes_ -= u.range.length;
        break;
      case Undo::Kind::unquarantined:
        quarantine_[u.range.offset] = {u.range.length, u.slot};
        quarantined_bytes_ += u.range.length;
        break;
    }
  }
}

}  // namespace pnfs::volume
