// A volume: one shared LUN with a superblock, a catalog and an area of extents. mkfs makes it, the MDS opens it, a data
// server only probes it. FORMAT.md says where everything stands.
//
// open() spawns the writer (group commit), the heartbeat and the background zeroing; close() ends and joins them. The
// store must outlive the volume. Threading: the executor's thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/random.hpp"
#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"
#include "common/volume/catalog.hpp"
#include "common/volume/extents.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

struct MkfsOptions {
  std::string cluster = "pnfslab";  // -t cluster:name
  std::string name = "vol0";
  uint32_t node_slots = 2;     // -j N
  uint64_t catalog_bytes = 0;  // 0: chosen from the size of the LUN
  uint64_t log_bytes = 0;
  uint32_t allocation_bytes = kDefaultAllocationBytes;
  bool force = false;  // overwrite what is recognised there, also a volume that is in use
  bool zero_data =
      true;  // UNMAP the data area where that makes it read as zeros; otherwise mounting zeroes it bit by bit
};
// "cluster:name" as mkfs.gfs2 -t takes it. invalid with a sentence.
Result<void> parse_table_name(std::string_view text, MkfsOptions& options);

// Errors say what was found: exists (a volume or a foreign file system and no force), busy (in use by node X), no_space
// (LUN too small), invalid (options).
io::Task<Result<Superblock>> mkfs(block::BlockStore& store, MkfsOptions options, Random& random, const Clock& clock);

// Reads and checks the superblock. not_found (and what the LUN looks like instead), unsupported (another version),
// corrupt, no_space (the LUN has become smaller than the volume).
io::Task<Result<Superblock>> probe(block::BlockStore& store);
io::Task<Result<OwnerRecord>> read_owner(block::BlockStore& store, const Superblock& superblock);

struct MountOptions {
  std::string node = "mds";
  std::string host;  // boot id of this machine, "" if unknown
  uint64_t pid = 0;
  bool force = false;                        // take the volume over although its owner seems alive
  Duration lease = std::chrono::seconds(6);  // an owner whose heartbeat stands still so long is taken for dead
  // Told about an active owner record of the same host: true when that process is certainly gone, so no wait is needed.
  std::function<bool(const OwnerRecord&)> is_dead;
  uint64_t zero_pool_bytes = 256ull << 20;  // how much zeroed space is kept ready (all of it where UNMAP zeroes)
  uint64_t max_catalog_memory_bytes = 1ull << 30;
  Duration ship_timeout = std::chrono::seconds(60);  // how long the writer retries I/O errors before the volume fails
};

class Volume {
 public:
  // busy: in use by node X (how to go on); the rest as probe(). Recovers the catalog, takes ownership (and fences the
  // predecessor with a persistent reservation where the LUN has them), raises boot_instance.
  static io::Task<Result<std::unique_ptr<Volume>>> open(block::BlockStore& store, MountOptions options,
                                                        io::TimerQueue& timers, Random& random);
  virtual ~Volume() = default;

  virtual Catalog& catalog() = 0;
  virtual Extents& extents() = 0;
  virtual block::BlockStore& store() = 0;
  virtual const Superblock& superblock() const = 0;
  virtual uint64_t boot_instance() const = 0;    // 1 at the first mount, grows by one with each
  virtual uint64_t reservation_key() const = 0;  // ours; 0 when the LUN has no persistent reservations
  io::Task<Result<void>> durable(Ticket ticket) { return catalog().durable(ticket); }

  // The volume write epoch (design: NFS stability on SCSI). Raised durably before it returns; gives the new value.
  virtual uint64_t write_epoch() const = 0;
  virtual io::Task<Result<uint64_t>> raise_write_epoch() = 0;

  // After an Errc::fenced of an I/O of one's own: a target that forgot all reservations (restart without APTPL) is given
  // ours again, and the I/O may be repeated. fenced: somebody else has the volume.
  virtual io::Task<Result<void>> reassert() = 0;
  // Shuts a node's key out (PREEMPT AND ABORT, else PREEMPT; unsupported when the LUN cannot).
  virtual io::Task<Result<void>> fence(uint64_t victim_key) = 0;

  // Set once the volume can no longer be trusted to become durable (fenced, I/O error beyond ship_timeout): the MDS
  // must stop serving. Waiters of durable() have been given the same error.
  virtual const Error* failure() const = 0;
  // Called once when that happens.
  virtual void on_failure(std::function<void(const Error&)> action) = 0;

  // Waits for what was changed, checkpoints, clears the owner record. Afterwards only destruction is allowed.
  virtual io::Task<Result<void>> close() = 0;
  // Stops at once without writing anything more: what a crash looks like to the next mount (tests, fault actions).
  virtual io::Task<void> abandon() = 0;
};

}  // namespace pnfs::volume
