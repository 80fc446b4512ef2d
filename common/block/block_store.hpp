// The BlockStore seam: a shared block device as the volume and the data servers see it. Implementations: iSCSI through
// libiscsi (the only real one), memory (with a volatile write cache that a simulated crash drops), and faulty (wraps
// another and consults fault rules).
//
// Units are bytes; offset and length must be multiples of block_bytes. Data is never copied: buffers are scattered or
// gathered as given and must stay alive until the task returns.
// Ordering: none between outstanding commands. Durability: a write is durable after a flush() that started after the
// write returned has succeeded, or when it was written with Fua::yes and Geometry::fua says the device honours that.
// Threading: the executor's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/io/task.hpp"

namespace pnfs::block {

struct Geometry {
  uint32_t block_bytes = 512;      // smallest addressable unit
  uint32_t physical_bytes = 4096;  // smallest unit that is written without read-modify-write
  uint64_t blocks = 0;
  bool read_only = false;
  bool write_cache = true;               // flush() is needed
  bool fua = false;                      // Fua::yes is honoured (DPOFUA)
  bool unmap = false;                    // UNMAP is offered
  bool unmap_zeroes = false;             // unmapped blocks read as zeros (LBPRZ)
  uint32_t compare_and_write_bytes = 0;  // the most that compare_and_write() takes; 0: not offered
  bool persistent_reservations = false;
  bool preempt_and_abort = false;
  uint64_t bytes() const { return blocks * block_bytes; }
};

enum class Fua { no, yes };

// One registrant of the logical unit, as PERSISTENT RESERVE IN shows it.
struct Reservation {
  std::vector<uint64_t> keys;  // every registered key, one per I_T nexus
  uint64_t holder = 0;         // key of the holder, 0 if none
  uint8_t type = 0;            // SPC-4 table 60; 5 = Write Exclusive, Registrants Only
  uint32_t generation = 0;     // PRGENERATION
};

using Piece = std::span<std::byte>;
using ConstPiece = std::span<const std::byte>;

class BlockStore {
 public:
  virtual ~BlockStore() = default;

  virtual const Geometry& geometry() const = 0;
  // What messages call it: the iscsi:// URL without credentials, or "memory".
  virtual std::string name() const = 0;

  // Errors: io (with the sense data in words), timeout, fenced (RESERVATION CONFLICT), closed (given up reconnecting).
  virtual io::Task<Result<void>> read(uint64_t offset, std::span<const Piece> into) = 0;
  virtual io::Task<Result<void>> write(uint64_t offset, std::span<const ConstPiece> from, Fua fua = Fua::no) = 0;
  virtual io::Task<Result<void>> flush() = 0;
  // Afterwards the range reads as zeros (UNMAP where unmap_zeroes, else WRITE SAME, else written zeros).
  virtual io::Task<Result<void>> zero(uint64_t offset, uint64_t length) = 0;

  // Where the device holds `expected` it holds `wanted` afterwards: true. It holds something else: false, and nothing
  // was written. Atomic against every node. Durable only after a flush. The two are of one size. Errors: unsupported
  // (more than Geometry::compare_and_write_bytes), and closed when the answer was lost: it may have been done or not,
  // and is never repeated here; read, and decide.
  virtual io::Task<Result<bool>> compare_and_write(uint64_t offset, ConstPiece expected, ConstPiece wanted);

  // Rises each time the device may have lost unflushed writes or forgotten commands (session lost, power-on unit
  // attention). It never goes back. Design: the write verifier is derived from the highest value seen on any node.
  virtual uint64_t epoch() const = 0;

  // Persistent reservations (SPC-4 5.12). Errors: unsupported, fenced (conflict), io.
  virtual io::Task<Result<void>> register_key(uint64_t key) = 0;
  virtual io::Task<Result<void>> reserve(uint64_t key) = 0;  // Write Exclusive, Registrants Only
  virtual io::Task<Result<void>> release(uint64_t key) = 0;
  // With `abort` the victim's commands under way are ended too: PREEMPT AND ABORT, or where the device lacks that
  // PREEMPT and a LOGICAL UNIT RESET.
  virtual io::Task<Result<void>> preempt(uint64_t key, uint64_t victim, bool abort) = 0;
  virtual io::Task<Result<Reservation>> reservation() = 0;

  // Asked each time a write is about to be sent, again after every lost session: false ends the write with Errc::closed.
  // A data server's lease stands behind it: a write that waited for a session must not reach the device after the lease
  // (design, Fencing that holds).
  virtual void set_write_gate(std::function<bool()> gate) = 0;

  // No new I/O is taken, what runs ends, the session is logged out.
  virtual io::Task<void> close() = 0;
};

}  // namespace pnfs::block
