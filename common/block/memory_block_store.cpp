#include "common/block/memory_block_store.hpp"

#include <boost/asio/post.hpp>

namespace pnfs::block {

MemoryBlockStore::MemoryBlockStore(io::Executor executor, MemoryLun& lun, io::TimerQueue* timers, MemoryLatency latency)
    : executor_(executor), lun_(lun), timers_(timers), latency_(latency), nexus_(lun.next_nexus_++) {
  const MemoryLunOptions& o = lun.options();
  geometry_.block_bytes = o.block_bytes;
  geometry_.physical_bytes = o.physical_bytes;
  geometry_.blocks = o.bytes / o.block_bytes;
  geometry_.read_only = o.read_only;
  geometry_.write_cache = o.write_cache;
  geometry_.fua = o.fua;
  geometry_.unmap = o.unmap_zeroes;
  geometry_.unmap_zeroes = o.unmap_zeroes;
  geometry_.persistent_reservations = o.persistent_reservations;
  geometry_.preempt_and_abort = o.persistent_reservations && o.preempt_and_abort;
}

// Registrations stay with the nexus, as a target keeps them when an initiator goes away.
MemoryBlockStore::~MemoryBlockStore() = default;

io::Task<void> MemoryBlockStore::take(Duration latency) {
  if (timers_ != nullptr && latency > Duration(0)) {
    co_await timers_->sleep(latency);
  } else {
    co_await io::asio::post(executor_, io::use_task);
  }
}

Result<void> MemoryBlockStore::check_up() const {
  if (closed_) return error(Errc::closed, "the block store is closed");
  if (!lun_.up_) return error(Errc::closed, "the LUN is down");
  if (key_ != 0 && !lun_.registrations_.contains(nexus_)) {
    return error(Errc::fenced, "registration key {:#x} is gone from the LUN: this node was fenced", key_);
  }
  return {};
}

Result<void> MemoryBlockStore::check_range(uint64_t offset, uint64_t length) const {
  const uint64_t size = geometry_.bytes();
  if (offset % geometry_.block_bytes != 0 || length % geometry_.block_bytes != 0) {
    return error(Errc::invalid, "offset {} and length {} are not multiples of {}", offset, length,
                 geometry_.block_bytes);
  }
  if (offset > size || length > size - offset) {
    return error(Errc::io, "ILLEGAL REQUEST, logical block address out of range: {} bytes at {} of {}", length, offset,
                 size);
  }
  return {};
}

Result<void> MemoryBlockStore::check_write_allowed() const {
  if (geometry_.read_only) return error(Errc::io, "DATA PROTECT, write protected");
  if (lun_.holder_nexus_ != 0 && !lun_.registrations_.contains(nexus_)) {
    return error(Errc::fenced, "RESERVATION CONFLICT: another node reserved the LUN and this one is not registered");
  }
  return {};
}

io::Task<Result<void>> MemoryBlockStore::read(uint64_t offset, std::span<const Piece> into) {
  uint64_t length = 0;
  for (const Piece& piece : into) length += piece.size();
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  co_await take(latency_.read);
  if (auto ok = check_up(); !ok) co_return ok.error();
  for (const Piece& piece : into) {
    lun_.read(offset, piece);
    offset += piece.size();
  }
  co_return Result<void>();
}

io::Task<Result<void>> MemoryBlockStore::write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) {
  uint64_t length = 0;
  for (const ConstPiece& piece : from) length += piece.size();
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (auto ok = check_write_allowed(); !ok) co_return ok.error();
  // Taken into the cache at once: a crash before the answer may or may not keep it, as on a real device.
  const bool through = !lun_.options_.write_cache || (fua == Fua::yes && lun_.options_.fua);
  std::vector<std::byte> bytes;  // pieces may be smaller than a block
  bytes.reserve(length);
  for (const ConstPiece& piece : from) bytes.insert(bytes.end(), piece.begin(), piece.end());
  lun_.write(offset, bytes, false);
  const uint64_t restarts = lun_.restarts_;
  co_await take(latency_.write);
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (lun_.restarts_ != restarts) co_return error(Errc::closed, "the LUN restarted during the write");
  if (through) lun_.write(offset, bytes, true);
  co_return Result<void>();
}

io::Task<Result<void>> MemoryBlockStore::flush() {
  if (auto ok = check_up(); !ok) co_return ok.error();
  const uint64_t restarts = lun_.restarts_;
  co_await take(latency_.flush);
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (lun_.restarts_ != restarts) co_return error(Errc::closed, "the LUN restarted during the flush");
  if (!lun_.options_.ignores_flush) lun_.destage();
  co_return Result<void>();
}

io::Task<Result<void>> MemoryBlockStore::zero(uint64_t offset, uint64_t length) {
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (auto ok = check_write_allowed(); !ok) co_return ok.error();
  lun_.zero(offset, length);
  co_await take(latency_.write);
  co_return check_up();
}

uint64_t MemoryBlockStore::epoch() const {
  return lun_.restarts_;
}

io::Task<void> MemoryBlockStore::close() {
  closed_ = true;
  co_return;
}

// --- persistent reservations: one type, Write Exclusive, Registrants Only ---

Result<void> MemoryBlockStore::check_registered(uint64_t key) const {
  const auto it = lun_.registrations_.find(nexus_);
  if (it != lun_.registrations_.end() && it->second == key && key != 0) return {};
  return error(Errc::fenced, "RESERVATION CONFLICT: key {:#x} is not the one this node registered", key);
}

io::Task<Result<void>> MemoryBlockStore::register_key(uint64_t key) {
  if (!geometry_.persistent_reservations) co_return error(Errc::unsupported, "the LUN has no persistent reservations");
  co_await take(latency_.write);
  key_ = 0;  // registering is how a fenced node comes back
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (key == 0) {
    if (lun_.holder_nexus_ == nexus_) lun_.holder_nexus_ = 0;
    lun_.registrations_.erase(nexus_);
  } else {
    lun_.registrations_[nexus_] = key;
  }
  key_ = key;
  ++lun_.pr_generation_;
  co_return Result<void>();
}

io::Task<Result<void>> MemoryBlockStore::reserve(uint64_t key) {
  co_await take(latency_.write);
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (auto ok = check_registered(key); !ok) co_return ok.error();
  if (lun_.holder_nexus_ != 0 && lun_.holder_nexus_ != nexus_) {
    co_return error(Errc::fenced, "RESERVATION CONFLICT: another node holds the reservation");
  }
  lun_.holder_nexus_ = nexus_;
  co_return Result<void>();
}

io::Task<Result<void>> MemoryBlockStore::release(uint64_t key) {
  co_await take(latency_.write);
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (auto ok = check_registered(key); !ok) co_return ok.error();
  if (lun_.holder_nexus_ == nexus_) lun_.holder_nexus_ = 0;
  co_return Result<void>();
}

io::Task<Result<void>> MemoryBlockStore::preempt(uint64_t key, uint64_t victim, bool) {
  co_await take(latency_.write);
  if (auto ok = check_up(); !ok) co_return ok.error();
  if (auto ok = check_registered(key); !ok) co_return ok.error();
  bool found = false;
  for (auto it = lun_.registrations_.begin(); it != lun_.registrations_.end();) {
    if (it->second != victim || it->first == nexus_) {
      ++it;
      continue;
    }
    found = true;
    if (lun_.holder_nexus_ == it->first) lun_.holder_nexus_ = nexus_;
    it = lun_.registrations_.erase(it);
  }
  if (!found) co_return error(Errc::fenced, "RESERVATION CONFLICT: key {:#x} is not registered", victim);
  ++lun_.pr_generation_;
  co_return Result<void>();
}

io::Task<Result<Reservation>> MemoryBlockStore::reservation() {
  if (!geometry_.persistent_reservations) co_return error(Errc::unsupported, "the LUN has no persistent reservations");
  co_await take(latency_.read);
  if (closed_ || !lun_.up_) co_return error(Errc::closed, "the LUN is down");
  Reservation result;
  for (const auto& [nexus, key] : lun_.registrations_) result.keys.push_back(key);
  if (lun_.holder_nexus_ != 0) {
    const auto holder = lun_.registrations_.find(lun_.holder_nexus_);
    if (holder != lun_.registrations_.end()) result.holder = holder->second;
    result.type = 5;
  }
  result.generation = lun_.pr_generation_;
  co_return result;
}

}  // namespace pnfs::block
