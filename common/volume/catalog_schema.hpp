// Private to this folder: the tables (FORMAT.md, "Catalog"). Unsigned 64-bit values are stored as SQLite integers of
// the same bits. Names, owners and targets are blobs: bytes, not text.
#pragma once

namespace pnfs::volume {

inline constexpr int kSchemaVersion = 1;  // PRAGMA user_version

inline constexpr char kSchema[] = R"sql(
CREATE TABLE inodes(
  fileid INTEGER PRIMARY KEY, generation INTEGER NOT NULL, type INTEGER NOT NULL, mode INTEGER NOT NULL,
  uid INTEGER NOT NULL, gid INTEGER NOT NULL, nlink INTEGER NOT NULL, size INTEGER NOT NULL,
  space_used INTEGER NOT NULL, rdev_major INTEGER NOT NULL, rdev_minor INTEGER NOT NULL,
  atime INTEGER NOT NULL, atime_ns INTEGER NOT NULL, mtime INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  ctime INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, btime INTEGER NOT NULL, btime_ns INTEGER NOT NULL,
  change INTEGER NOT NULL, parent INTEGER NOT NULL, create_verifier BLOB, symlink_target BLOB NOT NULL,
  layout_hint BLOB NOT NULL, next_cookie INTEGER NOT NULL DEFAULT 3);
CREATE INDEX inodes_without_name ON inodes(fileid) WHERE nlink = 0;
CREATE TABLE entries(
  dir INTEGER NOT NULL, name BLOB NOT NULL, fileid INTEGER NOT NULL, cookie INTEGER NOT NULL,
  PRIMARY KEY(dir, name)) WITHOUT ROWID;
CREATE UNIQUE INDEX entries_by_cookie ON entries(dir, cookie);
CREATE TABLE extents(
  fileid INTEGER NOT NULL, file_offset INTEGER NOT NULL, volume_offset INTEGER NOT NULL, length INTEGER NOT NULL,
  PRIMARY KEY(fileid, file_offset)) WITHOUT ROWID;
CREATE TABLE zeroed(volume_offset INTEGER PRIMARY KEY, length INTEGER NOT NULL);
CREATE TABLE quarantine(volume_offset INTEGER PRIMARY KEY, length INTEGER NOT NULL, slot INTEGER NOT NULL);
CREATE TABLE clients(
  owner BLOB PRIMARY KEY, principal BLOB NOT NULL, verifier BLOB NOT NULL, clientid INTEGER NOT NULL,
  boot_instance INTEGER NOT NULL, reclaim_complete INTEGER NOT NULL, confirmed INTEGER NOT NULL,
  confirmed_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE nodes(
  slot INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, address BLOB NOT NULL, key INTEGER NOT NULL,
  epoch INTEGER NOT NULL, instance INTEGER NOT NULL, fenced INTEGER NOT NULL, last_seen INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL);
CREATE TABLE settings(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
)sql";

// Settings the volume itself keeps.
inline constexpr char kSettingBootInstance[] = "volume.boot_instance";
inline constexpr char kSettingNextFileId[] = "volume.next_fileid";

}  // namespace pnfs::volume
