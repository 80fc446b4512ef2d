// The catalog: inodes, directory entries, clients, nodes, settings. Everything here runs at memory speed and never
// waits for the device: a change gets a ticket, and durable(ticket) (Volume or here) waits until it is on the LUN.
//
// A reply to a client that depends on catalog state, changed by itself or by others, leaves only after
// durable(ticket()) as read when the state was seen; is_durable() is the quick check.
//
// Transactions: an operation opens a Savepoint, changes things, and calls release(); without release() everything since
// is rolled back. Savepoints nest. No suspension (co_await) while one is open: what other operations did in between
// would be rolled back too. The writer asserts it.
//
// Threading: the executor's thread only. Errors: not_found, exists, no_space (catalog region full), busy (log full or
// too much waits to become durable: answer NFS4ERR_DELAY), invalid (names, ranges), corrupt, fenced, io, closed (the
// volume has failed or was closed: reason says why).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/io/task.hpp"
#include "common/volume/types.hpp"

namespace pnfs::volume {

class CatalogStorage;
class CatalogImpl;

class Catalog {
 public:
  class Savepoint {
   public:
    Savepoint(Savepoint&& other) noexcept : catalog_(std::exchange(other.catalog_, nullptr)), depth_(other.depth_) {}
    Savepoint& operator=(Savepoint&&) = delete;
    ~Savepoint();  // rolls back unless released
    // Keeps the changes. Returns the ticket that makes them durable (the present one when nothing changed).
    Result<Ticket> release();

   private:
    friend class Catalog;
    Savepoint(Catalog* catalog, uint32_t depth) : catalog_(catalog), depth_(depth) {}
    Catalog* catalog_;
    uint32_t depth_;
  };

  explicit Catalog(std::unique_ptr<CatalogImpl> impl);
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // busy when the log is full: the operation must not start, a checkpoint is under way.
  Result<Savepoint> begin();

  Ticket ticket() const;          // of the latest change
  Ticket durable_ticket() const;  // everything up to here is on stable storage
  bool is_durable(Ticket ticket) const { return ticket <= durable_ticket(); }
  io::Task<Result<void>> durable(Ticket ticket);

  // --- inodes ---
  // A fresh id, never handed out before on this volume, not even across crashes.
  Result<FileId> allocate_fileid();
  Result<Inode> get(FileId fileid);
  // Insert or replace. `change` is stored as the larger of the given and the stored value.
  Result<void> put(const Inode& inode);
  // The inode row alone; entries and extents are the caller's (or fsck's) business.
  Result<void> erase(FileId fileid);
  Result<uint64_t> count_inodes();
  // Inodes with nlink 0: left by a crash while open. At most `limit`, ascending from `after`.
  Result<std::vector<FileId>> orphans(FileId after, size_t limit);

  // --- directory entries ---
  Result<DirEntry> lookup(FileId dir, std::string_view name);
  // Gives the new entry's cookie. exists when the name is taken; invalid for an empty name, ".", "..", '/', NUL, too
  // long.
  Result<uint64_t> insert_entry(FileId dir, std::string_view name, FileId fileid);
  // The name now leads to another file; the cookie stays.
  Result<void> repoint_entry(FileId dir, std::string_view name, FileId fileid);
  Result<void> erase_entry(FileId dir, std::string_view name);
  // Entries with a cookie greater than `after` (0: from the start), in cookie order.
  Result<std::vector<DirEntry>> list(FileId dir, uint64_t after, size_t limit);
  // The same with each entry's inode, for READDIR with attributes: one query instead of one per entry.
  struct Listed {
    DirEntry entry;
    Inode inode;
  };
  Result<std::vector<Listed>> list_with_inodes(FileId dir, uint64_t after, size_t limit);
  Result<bool> is_empty(FileId dir);
  // The first name (by cookie) under which `fileid` is found in `dir`; for paths in traces and views.
  Result<DirEntry> entry_of(FileId dir, FileId fileid);

  // --- client recovery records (RFC 8881 8.4.2.1) ---
  Result<void> put_client(const ClientRecord& client);
  Result<ClientRecord> get_client(std::string_view owner);
  Result<void> erase_client(std::string_view owner);
  Result<std::vector<ClientRecord>> clients();

  // --- nodes ---
  // invalid when the slot is 0 or above the volume's node slots.
  Result<void> put_node(const NodeRecord& node);
  Result<std::vector<NodeRecord>> nodes();
  Result<void> erase_node(uint32_t slot);
  // The slot of this name, else the lowest free one; no_space with a sentence when all slots are taken (mkfs -j).
  Result<uint32_t> slot_for(std::string_view name);

  // --- settings ---
  Result<std::optional<std::string>> setting(std::string_view key);
  Result<void> set_setting(std::string_view key, std::string_view value);

  // For this folder.
  CatalogImpl& impl() { return *impl_; }
  std::unique_ptr<CatalogImpl> take_impl();

 private:
  std::unique_ptr<CatalogImpl> impl_;
};

}  // namespace pnfs::volume
