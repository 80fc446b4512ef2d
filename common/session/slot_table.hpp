// The slots of one channel as the replier sees them: exactly-once execution (RFC 8881 2.10.6.1, 18.46.3).
#pragma once

#include <span>
#include <string>

#include "common/session/types.hpp"

namespace pnfs::session {

// What a request's SEQUENCE asks for.
struct SequenceRequest {
  uint32_t sequence = 0;
  uint32_t slot = 0;
  uint32_t highest_slot = 0;
  bool cache_this = false;
  uint64_t digest = 0;  // of the arguments and the principal
};

struct Slot {
  uint32_t sequence = 0;  // of the last request accepted; 0 before the first
  bool used = false;
  bool busy = false;    // that request has not been answered yet
  bool cached = false;  // `reply` is the whole answer; else only that it ran is known
  bool cache_this = false;
  bool regrown = false;  // it was retired and given back: the client may go on counting or begin with 1 again
  uint32_t told = 0;     // the generation of the target that its last SEQUENCE result carried
  uint64_t digest = 0;
  std::vector<std::byte> reply;  // COMPOUND4res; uncached: up to and including the result of SEQUENCE
};

class SlotTable {
 public:
  explicit SlotTable(uint32_t slots) : target_highest_(slots - 1), highest_(slots - 1), slots_(slots) {}

  enum class Verdict {
    execute,         // a new request: the slot is busy until finish()
    replay,          // answer with slot().reply
    replay_unknown,  // it ran, but the reply was not kept: NFS4ERR_RETRY_UNCACHED_REP for the second operation
    refuse,          // `status` is SEQUENCE's; nothing changed
  };
  struct Answer {
    Verdict verdict = Verdict::refuse;
    nfs::Status status;
  };
  Answer begin(const SequenceRequest& request);
  // The last request of its slot again (or one that only looks like it).
  bool is_retry(const SequenceRequest& request) const {
    return request.slot < slots_.size() && slots_[request.slot].used &&
           request.sequence == slots_[request.slot].sequence;
  }

  // The request on this slot is answered. cached: `reply` is all of it; otherwise its SEQUENCE part.
  void finish(uint32_t slot, std::span<const std::byte> reply, bool cached);

  // As if the request on this slot had never come (a fault that drops it): the client's retry is a new request.
  void abandon(uint32_t slot);

  const Slot& slot(uint32_t index) const { return slots_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(slots_.size()); }
  uint32_t busy_count() const { return busy_; }
  // What SEQUENCE's result says (sr_highest_slotid, sr_target_highest_slotid).
  uint32_t highest_slot() const { return highest_; }
  uint32_t target_highest_slot() const { return target_highest_; }

  // Asks the client to use slots 0..highest only. The slots above go once the client has shown that it knows: a request
  // whose own sa_highest_slotid is not above, on a slot whose earlier reply carried the new target. `highest` is
  // clipped to what CREATE_SESSION granted.
  void set_target(uint32_t highest);
  // Enforces it at once, against a client that goes on using more (RFC 8881 2.10.6.1): NFS4ERR_BAD_HIGH_SLOT and
  // NFS4ERR_BADSLOT; retries on the retired slots are still answered.
  void enforce_target();

  // The client has seen the reply to this request: a new one came on the slot (RFC 8881 2.10.6.3). Also true for a slot
  // that is gone.
  bool seen(uint32_t slot, uint32_t sequence) const;

  size_t cached_bytes() const { return cached_bytes_; }

 private:
  Answer begin_known(Slot& slot, const SequenceRequest& request);
  void retire_above(uint32_t highest, bool unused);

  uint32_t target_highest_;
  uint32_t highest_;         // enforced
  uint32_t generation_ = 1;  // of the target
  std::vector<Slot> slots_;
  uint32_t busy_ = 0;
  size_t cached_bytes_ = 0;
};

}  // namespace pnfs::session
