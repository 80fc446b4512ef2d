// The rows of files' extents and of quarantined space.
#include "common/volume/extents_impl.hpp"

namespace pnfs::volume {

namespace {
uint64_t end_of(uint64_t offset, uint64_t length) {
  return length > INT64_MAX - offset ? INT64_MAX : offset + length;
}
}  // namespace

Result<std::vector<Extent>> ExtentsImpl::get(FileId file, uint64_t offset, uint64_t length) {
  std::vector<Extent> found;
  if (offset > INT64_MAX) return found;  // no extent lies there
  Query query(impl_.sql(
      "SELECT file_offset, volume_offset, length FROM extents WHERE fileid = ?1"
      " AND file_offset >= ifnull((SELECT max(file_offset) FROM extents WHERE fileid = ?1 AND file_offset <= ?2), 0)"
      " AND file_offset < ?3 ORDER BY file_offset"));
  query.integer(file).integer(offset).integer(end_of(offset, length));
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return found;
    const Extent extent{query.u64(0), query.u64(1), query.u64(2)};
    if (extent.file_end() > offset) found.push_back(extent);
  }
}

Result<uint64_t> ExtentsImpl::mapped_bytes(FileId file) {
  Query query(impl_.sql("SELECT ifnull(sum(length), 0) FROM extents WHERE fileid = ?"));
  auto row = query.integer(file).row();
  if (!row) return row.error();
  return query.u64(0);
}

Result<void> ExtentsImpl::insert_row(FileId file, const Extent& e) {
  Query query(impl_.sql("INSERT INTO extents VALUES(?, ?, ?, ?)"));
  return query.integer(file).integer(e.file_offset).integer(e.volume_offset).integer(e.length).done();
}

Result<void> ExtentsImpl::delete_row(FileId file, uint64_t file_offset) {
  Query query(impl_.sql("DELETE FROM extents WHERE fileid = ? AND file_offset = ?"));
  return query.integer(file).integer(file_offset).done();
}

// Joins with the row before when this one continues it.
Result<void> ExtentsImpl::insert_extent(FileId file, const Extent& e) {
  {
    Query query(
        impl_.sql("UPDATE extents SET length = length + ?4 WHERE fileid = ?1 AND file_offset ="
                  " (SELECT max(file_offset) FROM extents WHERE fileid = ?1 AND file_offset < ?2)"
                  " AND file_offset + length = ?2 AND volume_offset + length = ?3"));
    query.integer(file).integer(e.file_offset).integer(e.volume_offset).integer(e.length);
    if (auto ok = query.done(); !ok) return ok.error();
  }
  if (impl_.db().changes() > 0) return {};
  return insert_row(file, e);
}

Result<std::vector<Extent>> ExtentsImpl::remove(FileId file, uint64_t offset, uint64_t length,
                                                std::optional<uint32_t> slot) {
  std::vector<Extent> removed;
  if (offset > INT64_MAX - kExtentAlign) return removed;
  const uint64_t begin = (offset + kExtentAlign - 1) / kExtentAlign * kExtentAlign;
  const uint64_t asked_end = end_of(offset, length);
  // A partial last block stays mapped unless the range goes to the end of the file.
  const uint64_t end = asked_end == INT64_MAX ? asked_end : asked_end / kExtentAlign * kExtentAlign;
  if (begin >= end) return removed;
  auto savepoint = catalog_.begin();
  if (!savepoint) return savepoint.error();
  auto existing = get(file, begin, end - begin);
  if (!existing) return existing.error();
  for (const Extent& e : *existing) {
    const uint64_t cut_begin = std::max(begin, e.file_offset);
    const uint64_t cut_end = std::min(end, e.file_end());
    if (auto ok = delete_row(file, e.file_offset); !ok) return ok.error();
    if (e.file_offset < cut_begin) {
      if (auto ok = insert_row(file, {e.file_offset, e.volume_offset, cut_begin - e.file_offset}); !ok) {
        return ok.error();
      }
    }
    if (cut_end < e.file_end()) {
      const Extent rest{cut_end, e.volume_offset + (cut_end - e.file_offset), e.file_end() - cut_end};
      if (auto ok = insert_row(file, rest); !ok) return ok.error();
    }
    const Extent cut{cut_begin, e.volume_offset + (cut_begin - e.file_offset), cut_end - cut_begin};
    removed.push_back(cut);
    if (!slot) {
      free_later({cut.volume_offset, cut.length});
      continue;
    }
    Query query(impl_.sql("INSERT INTO quarantine VALUES(?, ?, ?)"));
    if (auto ok = query.integer(cut.volume_offset).integer(cut.length).integer(*slot).done(); !ok) return ok.error();
    quarantine_[cut.volume_offset] = {cut.length, *slot};
    quarantined_bytes_ += cut.length;
    undo_.push_back({Undo::Kind::quarantined, {cut.volume_offset, cut.length}, *slot});
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return removed;
}

Result<uint64_t> ExtentsImpl::end_quarantine(uint32_t slot) {
  auto savepoint = catalog_.begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_.sql("DELETE FROM quarantine WHERE slot = ?"));
    if (auto ok = query.integer(slot).done(); !ok) return ok.error();
  }
  uint64_t bytes = 0;
  for (auto it = quarantine_.begin(); it != quarantine_.end();) {
    if (it->second.second != slot) {
      ++it;
      continue;
    }
    const ByteRange range{it->first, it->second.first};
    it = quarantine_.erase(it);
    quarantined_bytes_ -= range.length;
    undo_.push_back({Undo::Kind::unquarantined, range, slot});
    free_later(range);
    bytes += range.length;
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return bytes;
}

}  // namespace pnfs::volume
