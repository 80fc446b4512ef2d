#include "common/volume/memory_vfs.hpp"

#include <fmt/format.h>

#include <memory>
#include <new>

namespace pnfs::volume {

namespace {

enum class Role { image, log, temporary };

struct File {
  sqlite3_file base;  // first: SQLite sees only this
  MemoryVfs* vfs;
  Role role;
  ChunkedBytes* bytes;
  ChunkedBytes* owned;  // of a temporary file
};

File& self(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

int close_file(sqlite3_file* file) {
  delete self(file).owned;
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  const ChunkedBytes& bytes = *self(file).bytes;
  const std::span<std::byte> into(static_cast<std::byte*>(to), static_cast<size_t>(amount));
  const auto at = static_cast<uint64_t>(offset);
  const uint64_t there = at < bytes.size() ? std::min<uint64_t>(bytes.size() - at, into.size()) : 0;
  bytes.read(at, into.first(there));
  if (there == into.size()) return SQLITE_OK;
  std::memset(into.data() + there, 0, into.size() - there);  // SQLite's contract for short reads
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  File& f = self(file);
  const auto at = static_cast<uint64_t>(offset);
  f.bytes->write(at, {static_cast<const std::byte*>(from), static_cast<size_t>(amount)});
  if (f.role == Role::image) {
    const size_t first = at / kPageBytes;
    const size_t last = (at + static_cast<uint64_t>(amount) - 1) / kPageBytes;
    std::vector<bool>& dirty = f.vfs->dirty_pages;
    if (dirty.size() <= last) dirty.resize(last + 1);
    for (size_t page = first; page <= last; ++page) dirty[page] = true;
  }
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  File& f = self(file);
  if (f.role == Role::log && size == 0) {
    f.vfs->retired_log = std::move(*f.bytes);
    *f.bytes = ChunkedBytes();
    return SQLITE_OK;
  }
  f.bytes->resize(static_cast<uint64_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file*, int) {
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(self(file).bytes->size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) {
  return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* held) {
  *held = 0;
  return SQLITE_OK;
}
int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

// Frames of 24 + 4096 bytes straddle sectors. Without POWERSAFE_OVERWRITE in the device characteristics SQLite pads
// each commit to the sector's end, so that rewriting the last sector of the log can only harm padding.
int sector_size(sqlite3_file*) {
  return static_cast<int>(kMetaBlockBytes);
}
int device_characteristics(sqlite3_file*) {
  return 0;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods m{};
  m.iVersion = 1;  // no shared memory: EXCLUSIVE locking keeps the WAL index on the heap
  m.xClose = close_file;
  m.xRead = read_file;
  m.xWrite = write_file;
  m.xTruncate = truncate_file;
  m.xSync = sync_file;
  m.xFileSize = file_size;
  m.xLock = lock_file;
  m.xUnlock = lock_file;
  m.xCheckReservedLock = check_lock;
  m.xFileControl = control_file;
  m.xSectorSize = sector_size;
  m.xDeviceCharacteristics = device_characteristics;
  return m;
}();

int open_file(sqlite3_vfs* vfs, const char*, sqlite3_file* file, int flags, int* out_flags) {
  auto* owner = static_cast<MemoryVfs*>(vfs->pAppData);
  File& f = self(file);
  f = File{{&kMethods}, owner, Role::temporary, nullptr, nullptr};
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
    f.role = Role::image;
    f.bytes = &owner->image;
  } else if ((flags & SQLITE_OPEN_WAL) != 0) {
    f.role = Role::log;
    f.bytes = &owner->log;
  } else {
    f.owned = f.bytes = new ChunkedBytes();
  }
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  auto* owner = static_cast<MemoryVfs*>(vfs->pAppData);
  if (name != nullptr && std::string_view(name).ends_with("-wal")) owner->log = ChunkedBytes();
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* result) {
  auto* owner = static_cast<MemoryVfs*>(vfs->pAppData);
  const std::string_view file(name);
  *result = file.ends_with("-wal") ? owner->log.size() > 0 : file.ends_with("-journal") ? 0 : owner->image.size() > 0;
  return SQLITE_OK;
}

int full_pathname(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

// What does not concern files (randomness, sleeping, time) is the system's.
sqlite3_vfs* system_vfs() {
  return sqlite3_vfs_find(nullptr);
}
int randomness(sqlite3_vfs*, int size, char* out) {
  return system_vfs()->xRandomness(system_vfs(), size, out);
}
int sleep_us(sqlite3_vfs*, int microseconds) {
  return microseconds;
}
int current_time(sqlite3_vfs*, double* now) {
  return system_vfs()->xCurrentTime(system_vfs(), now);
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

MemoryVfs::MemoryVfs() : name_(fmt::format("pnfs-catalog-{}", static_cast<const void*>(this))) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(File);
  vfs_.mxPathname = 64;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = access_file;
  vfs_.xFullPathname = full_pathname;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = sleep_us;
  vfs_.xCurrentTime = current_time;
  vfs_.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs_, 0);
}

MemoryVfs::~MemoryVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace pnfs::volume
