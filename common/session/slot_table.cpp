#include "common/session/slot_table.hpp"

namespace pnfs::session {

namespace {

using nfs::fail;

SlotTable::Answer refuse(nfs::Status status) {
  return {SlotTable::Verdict::refuse, std::move(status)};
}

}  // namespace

SlotTable::Answer SlotTable::begin(const SequenceRequest& request) {
  if (request.slot >= slots_.size()) {
    return refuse(fail(nfs::NFS4ERR_BADSLOT, "2.10.6.1", "slot {} of a session with slots 0 to {}", request.slot,
                       slots_.size() - 1));
  }
  Slot& slot = slots_[request.slot];
  const bool retry = is_retry(request);
  if (request.slot > highest_ && !retry) {
    return refuse(
        fail(nfs::NFS4ERR_BADSLOT, "2.10.6.1", "slot {} was retired, the highest is now {}", request.slot, highest_));
  }
  if (request.highest_slot > highest_ && !(request.slot > highest_ && retry)) {
    return refuse(fail(nfs::NFS4ERR_BAD_HIGH_SLOT, "2.10.6.1", "sa_highest_slotid {} is above the highest slot {}",
                       request.highest_slot, highest_));
  }
  return begin_known(slot, request);
}

SlotTable::Answer SlotTable::begin_known(Slot& slot, const SequenceRequest& request) {
  if (is_retry(request)) {
    if (slot.busy) {
      return refuse(fail(nfs::NFS4ERR_DELAY, "2.10.6.2", "sequence {} on slot {} is still being executed",
                         request.sequence, request.slot));
    }
    if (slot.digest != request.digest) {
      return refuse(fail(nfs::NFS4ERR_SEQ_FALSE_RETRY, "2.10.6.1.3.1",
                         "sequence {} on slot {} was another request, or another principal's", request.sequence,
                         request.slot));
    }
    return {slot.cached ? Verdict::replay : Verdict::replay_unknown, {}};
  }
  const bool next = request.sequence == slot.sequence + 1 || (slot.regrown && request.sequence == 1);
  if (!next || slot.busy) {
    return refuse(fail(nfs::NFS4ERR_SEQ_MISORDERED, "18.46.3", "sequence {} on slot {}, whose last was {}{}",
                       request.sequence, request.slot, slot.sequence, slot.busy ? " and is still being executed" : ""));
  }
  // The client has our earlier reply on this slot, and with it the target in force then.
  if (slot.told == generation_ && highest_ > target_highest_ && request.highest_slot <= target_highest_) {
    retire_above(target_highest_, true);
  }
  slot.sequence = request.sequence;
  slot.used = true;
  slot.busy = true;
  slot.cached = false;
  slot.regrown = false;
  slot.cache_this = request.cache_this;
  slot.told = generation_;
  slot.digest = request.digest;
  ++busy_;
  return {Verdict::execute, {}};
}

void SlotTable::finish(uint32_t index, std::span<const std::byte> reply, bool cached) {
  if (index >= slots_.size() || !slots_[index].busy) return;
  Slot& slot = slots_[index];
  slot.busy = false;
  --busy_;
  cached_bytes_ -= slot.reply.capacity();
  // A buffer that one large reply needed is not kept for the small ones that follow.
  if (slot.reply.capacity() > 1024 && reply.size() < slot.reply.capacity() / 4) slot.reply = std::vector<std::byte>();
  slot.reply.assign(reply.begin(), reply.end());
  slot.cached = cached;
  cached_bytes_ += slot.reply.capacity();
}

void SlotTable::abandon(uint32_t index) {
  if (index >= slots_.size() || !slots_[index].busy) return;
  Slot& slot = slots_[index];
  slot.busy = false;
  --busy_;
  --slot.sequence;
  slot.used = slot.sequence != 0;
  // What the earlier sequence answered is gone: another retry of that would have been misordered anyway.
  slot.cached = false;
  slot.digest = 0;
}

void SlotTable::set_target(uint32_t highest) {
  target_highest_ = std::min(highest, size() - 1);
  ++generation_;
  if (target_highest_ > highest_) highest_ = target_highest_;
}

void SlotTable::enforce_target() {
  if (target_highest_ < highest_) retire_above(target_highest_, false);
}

// A slot given back later may be counted on or begun anew; which of the two RFC 8881 does not say, and clients do both.
// The replies go once the client has said that nothing above is outstanding.
void SlotTable::retire_above(uint32_t highest, bool unused) {
  highest_ = highest;
  for (uint32_t i = highest + 1; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.regrown = true;
    if (!unused || slot.busy) continue;
    cached_bytes_ -= slot.reply.capacity();
    slot.reply = std::vector<std::byte>();
    slot.cached = false;
  }
}

bool SlotTable::seen(uint32_t slot, uint32_t sequence) const {
  if (slot >= slots_.size()) return true;
  const Slot& s = slots_[slot];
  return !s.used || s.sequence != sequence;
}

}  // namespace pnfs::session
