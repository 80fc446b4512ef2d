// Private to this folder: who may use the volume: the owner record with its heartbeat, and the persistent reservation
// that makes losing it stick (Write Exclusive, Registrants Only: data servers register too, strangers cannot write).
#pragma once

#include "common/base/random.hpp"
#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::volume {

class Ownership {
 public:
  Ownership(block::BlockStore& store, const Superblock& superblock, io::TimerQueue& timers)
      : store_(store), superblock_(superblock), timers_(timers) {}

  // busy, naming the owner; otherwise the volume is ours: the predecessor's key is preempted, our record written.
  io::Task<Result<void>> take(MountOptions options, Random& random);
  // Renews the heartbeat until cancelled; gives the reason when the volume was lost.
  io::Task<Result<void>> keep();
  // After an Errc::fenced: a target that forgot all reservations (restart without APTPL) is given ours again; anything
  // else stays fenced.
  io::Task<Result<void>> reassert();
  // A clean end: record inactive, reservation and registration gone.
  io::Task<Result<void>> give_up();
  uint64_t key() const { return record_.key; }

 private:
  io::Task<Result<void>> wait_for_death(OwnerRecord seen, Duration lease);
  io::Task<Result<void>> shut_out(uint64_t old_key);
  io::Task<Result<void>> write_record();

  block::BlockStore& store_;
  Superblock superblock_;
  io::TimerQueue& timers_;
  OwnerRecord record_;
};

}  // namespace pnfs::volume
