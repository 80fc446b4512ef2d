#include "common/volume/catalog_impl.hpp"
#include "common/volume/catalog_rows.hpp"
#include "common/volume/catalog_schema.hpp"

namespace pnfs::volume {

namespace {
// How many ids are recorded as used at once: one change of the settings row per so many new files.
constexpr FileId kFileIdBatch = 1024;

Query& bind_time(Query& query, const WallTime& time) {
  return query.integer(static_cast<uint64_t>(time.seconds)).integer(time.nanoseconds);
}

WallTime read_time(const Query& query, int column) {
  return {query.i64(column), query.u32(column + 1)};
}
}  // namespace

Inode read_inode(const Query& row, int first) {
  Inode n;
  n.fileid = row.u64(first);
  n.generation = row.u64(first + 1);
  n.type = static_cast<FileType>(row.u32(first + 2));
  n.mode = row.u32(first + 3);
  n.uid = row.u32(first + 4);
  n.gid = row.u32(first + 5);
  n.nlink = row.u32(first + 6);
  n.size = row.u64(first + 7);
  n.space_used = row.u64(first + 8);
  n.rdev_major = row.u32(first + 9);
  n.rdev_minor = row.u32(first + 10);
  n.atime = read_time(row, first + 11);
  n.mtime = read_time(row, first + 13);
  n.ctime = read_time(row, first + 15);
  n.btime = read_time(row, first + 17);
  n.change = row.u64(first + 19);
  n.parent = row.u64(first + 20);
  const std::string_view verifier = row.text(first + 21);
  n.has_create_verifier = verifier.size() == n.create_verifier.size();
  if (n.has_create_verifier) std::memcpy(n.create_verifier.data(), verifier.data(), verifier.size());
  n.symlink_target = row.text(first + 22);
  n.layout_hint = row.text(first + 23);
  return n;
}

Result<FileId> Catalog::allocate_fileid() {
  CatalogImpl& impl = *impl_;
  if (impl.next_fileid == 0) {
    auto stored = setting(kSettingNextFileId);
    if (!stored) return stored.error();
    if (!*stored) return error(Errc::corrupt, "the catalog does not say which file ids are used");
    impl.next_fileid = impl.reserved_fileids = std::strtoull((*stored)->c_str(), nullptr, 10);
    if (impl.next_fileid <= kRootFileId) return error(Errc::corrupt, "the catalog's next file id is {}", **stored);
  }
  if (impl.next_fileid == impl.reserved_fileids) {
    const FileId reserved = impl.reserved_fileids + kFileIdBatch;
    if (auto ok = set_setting(kSettingNextFileId, std::to_string(reserved)); !ok) return ok.error();
    impl.reserved_fileids = reserved;
  }
  return impl.next_fileid++;
}

Result<Inode> Catalog::get(FileId fileid) {
  if (const auto it = impl_->inode_cache().find(fileid); it != impl_->inode_cache().end()) return it->second;
  Query query(impl_->sql("SELECT " PNFS_INODE_COLUMNS " FROM inodes AS i WHERE i.fileid = ?"));
  auto row = query.integer(fileid).row();
  if (!row) return row.error();
  if (!*row) return error(Errc::not_found, "no file with id {}", fileid);
  Inode inode = read_inode(query, 0);
  impl_->remember(inode);
  return inode;
}

Result<void> Catalog::put(const Inode& n) {
  if (n.fileid == 0) return error(Errc::invalid, "an inode needs a file id");
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql(
        "INSERT INTO inodes(fileid, generation, type, mode, uid, gid, nlink, size, space_used, rdev_major, rdev_minor,"
        " atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns, btime, btime_ns, change, parent, create_verifier,"
        " symlink_target, layout_hint)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24)"
        " ON CONFLICT(fileid) DO UPDATE SET generation=?2, type=?3, mode=?4, uid=?5, gid=?6, nlink=?7, size=?8,"
        " space_used=?9, rdev_major=?10, rdev_minor=?11, atime=?12, atime_ns=?13, mtime=?14, mtime_ns=?15, ctime=?16,"
        " ctime_ns=?17, btime=?18, btime_ns=?19, change=MAX(change, ?20), parent=?21, create_verifier=?22,"
        " symlink_target=?23, layout_hint=?24"));
    for (uint64_t v :
         {n.fileid, n.generation, static_cast<uint64_t>(n.type), uint64_t{n.mode}, uint64_t{n.uid}, uint64_t{n.gid},
          uint64_t{n.nlink}, n.size, n.space_used, uint64_t{n.rdev_major}, uint64_t{n.rdev_minor}}) {
      query.integer(v);
    }
    for (const WallTime& time : {n.atime, n.mtime, n.ctime, n.btime}) bind_time(query, time);
    query.integer(n.change).integer(n.parent);
    query.blob(n.has_create_verifier ? std::span<const std::byte>(n.create_verifier) : std::span<const std::byte>());
    query.blob(n.symlink_target).blob(n.layout_hint);
    if (auto ok = query.done(); !ok) return ok.error();
  }
  const auto cached = impl_->inode_cache().find(n.fileid);
  if (cached == impl_->inode_cache().end()) {
    // The stored change may be larger than the given one: only a read knows.
  } else {
    const uint64_t change = std::max(cached->second.change, n.change);
    cached->second = n;
    cached->second.change = change;
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<void> Catalog::erase(FileId fileid) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  impl_->inode_cache().erase(fileid);
  {
    Query query(impl_->sql("DELETE FROM inodes WHERE fileid = ?"));
    if (auto ok = query.integer(fileid).done(); !ok) return ok.error();
  }
  if (impl_->db().changes() == 0) return error(Errc::not_found, "no file with id {}", fileid);
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<uint64_t> Catalog::count_inodes() {
  Query query(impl_->sql("SELECT count(*) FROM inodes"));
  auto row = query.row();
  if (!row) return row.error();
  return query.u64(0);
}

Result<std::vector<FileId>> Catalog::orphans(FileId after, size_t limit) {
  Query query(impl_->sql("SELECT fileid FROM inodes WHERE nlink = 0 AND fileid > ? ORDER BY fileid LIMIT ?"));
  query.integer(after).integer(limit);
  std::vector<FileId> found;
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back(query.u64(0));
  }
}

}  // namespace pnfs::volume
