// A logical unit in memory with a volatile write cache, shared by the nodes of one process. Each node opens a
// MemoryBlockStore of its own (an I_T nexus: registrations and reservation conflicts are per node).
//
// crash() loses unflushed writes: each cached block is dropped, kept or (a torn write) partly applied, as the given
// Random decides. Between crash() and restart() every command fails with closed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/random.hpp"
#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::block {

struct MemoryLunOptions {
  uint64_t bytes = 64ull << 20;
  uint32_t block_bytes = 512;
  uint32_t physical_bytes = 4096;
  bool write_cache = true;
  bool fua = true;
  bool unmap_zeroes = true;
  bool persistent_reservations = true;
  bool preempt_and_abort = true;
  bool aptpl = false;  // registrations survive restart()
  bool read_only = false;
  bool ignores_flush = false;  // a broken device: SYNCHRONIZE CACHE does nothing
};

class MemoryLun {
 public:
  explicit MemoryLun(MemoryLunOptions options = {});
  // The content of another, with other habits.
  MemoryLun(MemoryLunOptions options, const MemoryLun& content) : MemoryLun(content) { options_ = options; }
  const MemoryLunOptions& options() const { return options_; }

  void crash(Random& random);
  void restart();
  bool up() const { return up_; }

  // For tests: the device's content as a reader would see it now (cache included), and a way to damage it.
  std::vector<std::byte> peek(uint64_t offset, uint64_t length) const;
  void poke(uint64_t offset, std::span<const std::byte> bytes);
  uint64_t unflushed_bytes() const;
  // Writes that MemoryBlockStore::come_late() kept on the way: how many were carried out, and how many found that their
  // node had been fenced meanwhile.
  uint64_t late_writes() const { return late_writes_; }
  uint64_t late_refused() const { return late_refused_; }
  // Another LUN with the same content, cache included.
  std::unique_ptr<MemoryLun> clone() const;

 private:
  friend class MemoryBlockStore;
  using Bytes = std::vector<std::byte>;
  void read(uint64_t offset, std::span<std::byte> into) const;
  void write(uint64_t offset, std::span<const std::byte> from, bool through);
  void zero(uint64_t offset, uint64_t length);
  void destage_block(uint64_t block, std::span<const std::byte> bytes);
  void destage();
  void destage(uint64_t offset, uint64_t length);

  MemoryLunOptions options_;
  bool up_ = true;
  uint64_t restarts_ = 0;
  uint64_t resets_ = 0;  // LOGICAL UNIT RESETs: unit attentions for everybody
  std::map<uint64_t, Bytes> media_;  // by kChunkBytes; absent reads as zeros
  std::map<uint64_t, Bytes> cache_;  // by block: written but not flushed
  // Persistent reservations: key by nexus.
  std::map<uint64_t, uint64_t> registrations_;
  std::map<uint64_t, uint64_t> aborts_;  // by nexus: how often its commands were ended
  uint64_t holder_nexus_ = 0;
  uint32_t pr_generation_ = 0;
  uint64_t next_nexus_ = 1;
  uint64_t late_writes_ = 0;
  uint64_t late_refused_ = 0;
};

// How long each command takes.
struct MemoryLatency {
  Duration read{}, write{}, flush{};
};

// How a node's session behaves. Unless retry_for is set a command is carried out at once and answered after its latency,
// and one that meets a LUN that is down fails. With it the node behaves as the iSCSI initiator of IscsiBlockStore: a
// command travels, waits at the target (where it can be aborted) and is carried out a third of its latency after each; a
// lost session is noticed by the next command, raises the epoch, and commands are sent again for so long. A node whose
// key was preempted goes on reading (SPC-4 5.12.1: Write Exclusive) until a unit attention made it look.
struct MemorySession {
  Duration retry_for{};
};

class MemoryBlockStore final : public BlockStore {
 public:
  // With timers each command takes its latency (on their clock); without, commands complete at once, but never inside
  // the call.
  MemoryBlockStore(io::Executor executor, MemoryLun& lun, io::TimerQueue* timers = nullptr, MemoryLatency latency = {},
                   MemorySession session = {});
  ~MemoryBlockStore() override;

  const Geometry& geometry() const override { return geometry_; }
  std::string name() const override { return "memory"; }
  io::Task<Result<void>> read(uint64_t offset, std::span<const Piece> into) override;
  io::Task<Result<void>> write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) override;
  io::Task<Result<void>> flush() override;
  io::Task<Result<void>> zero(uint64_t offset, uint64_t length) override;
  uint64_t epoch() const override;
  io::Task<Result<void>> register_key(uint64_t key) override;
  io::Task<Result<void>> reserve(uint64_t key) override;
  io::Task<Result<void>> release(uint64_t key) override;
  io::Task<Result<void>> preempt(uint64_t key, uint64_t victim, bool abort) override;
  io::Task<Result<Reservation>> reservation() override;
  void set_write_gate(std::function<bool()> gate) override { write_gate_ = std::move(gate); }
  io::Task<void> close() override;

  // Nothing passes between this node and the LUN until it is switched off again (with MemorySession::retry_for only).
  void cut(bool on) { cut_ = on; }
  // From now on writes and reservation commands reach the LUN so much later than they are sent, in the order of their
  // sending (RFC 7143 4.2.2.1). Reads do not: a write that rewrites part of a block has read it when it gets late.
  void come_late(Duration by) { late_by_ = by; }

 private:
  enum class Kind { read, write, flush, reserve };
  enum class Trip { arrived, lost, gave_up };
  bool keeps_session() const { return timers_ != nullptr && session_.retry_for > Duration(0); }
  // Carries out one command: `execute` at the target, `finish` when its answer has arrived.
  io::Task<Result<void>> command(Kind kind, Duration latency, std::function<Result<void>()> execute,
                                 std::function<void()> finish = {});
  io::Task<Trip> send(Kind kind, Duration latency, const std::function<Result<void>()>& execute, Result<void>& done);
  io::Task<Result<void>> log_in(TimePoint deadline);
  io::Task<bool> travel(Duration time, uint64_t logins);
  Result<void> admit(Kind kind);
  bool may_still_read();
  io::Task<bool> lag();
  io::Task<void> take(Duration latency);
  Result<void> check_open() const;
  Result<void> check_up() const;
  Result<void> check_range(uint64_t offset, uint64_t length) const;
  Result<void> check_write_allowed() const;
  Result<void> check_registered(uint64_t key) const;

  io::Executor executor_;
  MemoryLun& lun_;
  io::TimerQueue* timers_;
  MemoryLatency latency_;
  Geometry geometry_;
  uint64_t nexus_;
  uint64_t key_ = 0;  // registered by us; when the LUN no longer knows it we are fenced
  bool closed_ = false;
  MemorySession session_;
  std::function<bool()> write_gate_;
  bool cut_ = false;
  Duration late_by_{};
  TimePoint last_arrival_{};             // of what was sent late
  std::optional<TimePoint> looks_at_;    // when a node whose key is gone will have noticed
  uint64_t epoch_ = 0;
  uint64_t logins_ = 0;
  uint64_t seen_restarts_ = 0;
  uint64_t seen_resets_ = 0;
};

}  // namespace pnfs::block
