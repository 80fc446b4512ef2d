// Private to this folder: the connection behind a Catalog: transactions, tickets, prepared statements. It knows nothing
// of the device; CatalogWriter takes what it seals.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "common/io/event.hpp"
#include "common/volume/catalog.hpp"
#include "common/volume/memory_vfs.hpp"
#include "common/volume/sqlite.hpp"

namespace pnfs::volume {

// Keeps memory beside the catalog (free space) in step with its savepoints.
class Participant {
 public:
  virtual ~Participant() = default;
  virtual size_t mark() const = 0;
  virtual void undo_to(size_t mark) = 0;
  virtual void forget() = 0;  // the outermost savepoint was kept
};

struct CatalogLimits {
  uint64_t catalog_bytes = 0;  // of the image region
  uint64_t log_bytes = 0;      // of the log region
  uint32_t node_slots = 0;
};

class CatalogImpl {
 public:
  // Opens what the files hold (recovering from the log) or, when they are empty and `create`, makes the schema.
  static Result<std::unique_ptr<CatalogImpl>> open(std::unique_ptr<MemoryVfs> vfs, CatalogLimits limits,
                                                   io::Executor executor, bool create);

  CatalogImpl(std::unique_ptr<MemoryVfs> vfs, Database db, CatalogLimits limits, io::Executor executor);
  ~CatalogImpl();

  // Compiled once and kept; keyed by the literal's address. An empty Statement's Query reports an error.
  Statement& sql(const char* literal);

  Result<uint32_t> begin();
  void roll_back(uint32_t depth);
  Result<Ticket> release(uint32_t depth);
  void set_participant(Participant* participant) { participant_ = participant; }

  // Commits what is open to the in-memory log. Returns the ticket this covers.
  Result<Ticket> seal();
  // Moves the log into the image; the old log is left in vfs().retired_log. Nothing may be open (seal first).
  Result<void> checkpoint();
  std::array<std::byte, 8> log_salts() const;

  Ticket ticket() const { return ticket_; }
  Ticket durable_ticket() const { return durable_; }
  void set_durable(Ticket ticket);
  void fail(Error failure);
  const std::optional<Error>& failure() const { return failure_; }
  bool needs_shipping() const { return durable_ < ticket_; }
  uint32_t depth() const { return depth_; }
  const CatalogLimits& limits() const { return limits_; }

  io::Event& changed() { return changed_; }
  io::Event& shipped() { return shipped_; }
  MemoryVfs& vfs() { return *vfs_; }
  Database& db() { return db_; }
  std::unordered_map<FileId, Inode>& inode_cache() { return inode_cache_; }
  void remember(const Inode& inode);

  FileId next_fileid = 0;  // in memory; ids up to reserved_fileids are recorded as used
  FileId reserved_fileids = 0;

 private:
  Result<void> ensure_transaction();
  bool log_is_full() const;

  std::unique_ptr<MemoryVfs> vfs_;
  Database db_;
  std::unordered_map<const char*, Statement> statements_;
  CatalogLimits limits_;
  Participant* participant_ = nullptr;

  struct Open {
    int64_t changes;
    size_t mark;
    FileId next_fileid, reserved_fileids;
  };
  std::vector<Open> open_;
  uint32_t depth_ = 0;
  bool in_transaction_ = false;
  uint32_t operations_since_seal_ = 0;
  uint32_t seal_every_;
  Ticket ticket_ = 0;
  Ticket durable_ = 0;
  std::optional<Error> failure_;
  io::Event changed_;
  io::Event shipped_;
  std::unordered_map<FileId, Inode> inode_cache_;
};

}  // namespace pnfs::volume
