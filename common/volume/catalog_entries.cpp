#include "common/volume/catalog_impl.hpp"
#include "common/volume/catalog_rows.hpp"

namespace pnfs::volume {

namespace {

Result<void> check_name(std::string_view name) {
  if (name.empty()) return error(Errc::invalid, "an empty name");
  if (name.size() > kMaxNameBytes) {
    return error(Errc::invalid, "a name of {} bytes (at most {})", name.size(), kMaxNameBytes);
  }
  if (name == "." || name == "..") return error(Errc::invalid, "'{}' is not a name", name);
  if (name.find('/') != name.npos || name.find('\0') != name.npos) {
    return error(Errc::invalid, "a name with a slash or a zero byte");
  }
  return {};
}

Error no_entry(FileId dir, std::string_view name) {
  return error(Errc::not_found, "no entry '{}' in directory {}", name, dir);
}

DirEntry read_entry(const Query& row) {
  DirEntry e;
  e.dir = row.u64(0);
  e.name = row.text(1);
  e.fileid = row.u64(2);
  e.cookie = row.u64(3);
  return e;
}

}  // namespace

Result<DirEntry> Catalog::lookup(FileId dir, std::string_view name) {
  Query query(impl_->sql("SELECT dir, name, fileid, cookie FROM entries WHERE dir = ? AND name = ?"));
  auto row = query.integer(dir).blob(name).row();
  if (!row) return row.error();
  if (!*row) return no_entry(dir, name);
  return read_entry(query);
}

Result<uint64_t> Catalog::insert_entry(FileId dir, std::string_view name, FileId fileid) {
  if (auto ok = check_name(name); !ok) return ok.error();
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  uint64_t cookie = 0;
  {
    // The directory remembers its next cookie, so that one that was given out is never given to another name.
    Query query(impl_->sql("UPDATE inodes SET next_cookie = next_cookie + 1 WHERE fileid = ? RETURNING next_cookie"));
    auto row = query.integer(dir).row();
    if (!row) return row.error();
    if (!*row) return error(Errc::not_found, "no directory with id {}", dir);
    cookie = query.u64(0) - 1;
    if (auto ok = query.done(); !ok) return ok.error();
  }
  {
    Query query(impl_->sql("INSERT INTO entries(dir, name, fileid, cookie) VALUES(?, ?, ?, ?)"));
    auto ok = query.integer(dir).blob(name).integer(fileid).integer(cookie).done();
    if (!ok && ok.error().code == Errc::exists) {
      return error(Errc::exists, "directory {} has an entry '{}' already", dir, name);
    }
    if (!ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return cookie;
}

Result<void> Catalog::repoint_entry(FileId dir, std::string_view name, FileId fileid) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql("UPDATE entries SET fileid = ? WHERE dir = ? AND name = ?"));
    if (auto ok = query.integer(fileid).integer(dir).blob(name).done(); !ok) return ok.error();
  }
  if (impl_->db().changes() == 0) return no_entry(dir, name);
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<void> Catalog::erase_entry(FileId dir, std::string_view name) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql("DELETE FROM entries WHERE dir = ? AND name = ?"));
    if (auto ok = query.integer(dir).blob(name).done(); !ok) return ok.error();
  }
  if (impl_->db().changes() == 0) return no_entry(dir, name);
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<std::vector<DirEntry>> Catalog::list(FileId dir, uint64_t after, size_t limit) {
  Query query(
      impl_->sql("SELECT dir, name, fileid, cookie FROM entries WHERE dir = ? AND cookie > ? ORDER BY cookie LIMIT ?"));
  query.integer(dir).integer(after).integer(limit);
  std::vector<DirEntry> entries;
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return entries;
    entries.push_back(read_entry(query));
  }
}

Result<std::vector<Catalog::Listed>> Catalog::list_with_inodes(FileId dir, uint64_t after, size_t limit) {
  Query query(impl_->sql("SELECT e.dir, e.name, e.fileid, e.cookie, " PNFS_INODE_COLUMNS
                         " FROM entries AS e JOIN inodes AS i ON i.fileid = e.fileid"
                         " WHERE e.dir = ? AND e.cookie > ? ORDER BY e.cookie LIMIT ?"));
  query.integer(dir).integer(after).integer(limit);
  std::vector<Listed> entries;
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return entries;
    entries.push_back({read_entry(query), read_inode(query, 4)});
  }
}

Result<bool> Catalog::is_empty(FileId dir) {
  Query query(impl_->sql("SELECT 1 FROM entries WHERE dir = ? LIMIT 1"));
  auto row = query.integer(dir).row();
  if (!row) return row.error();
  return !*row;
}

Result<DirEntry> Catalog::entry_of(FileId dir, FileId fileid) {
  Query query(
      impl_->sql("SELECT dir, name, fileid, cookie FROM entries WHERE dir = ? AND fileid = ? ORDER BY cookie LIMIT 1"));
  auto row = query.integer(dir).integer(fileid).row();
  if (!row) return row.error();
  if (!*row) return error(Errc::not_found, "directory {} has no entry for file {}", dir, fileid);
  return read_entry(query);
}

}  // namespace pnfs::volume
