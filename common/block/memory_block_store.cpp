#include "common/block/memory_block_store.hpp"

#include <boost/asio/post.hpp>

namespace pnfs::block {

MemoryBlockStore::MemoryBlockStore(io::Executor executor, MemoryLun& lun, io::TimerQueue* timers, MemoryLatency latency,
                                   MemorySession session)
    : executor_(executor),
      lun_(lun),
      timers_(timers),
      latency_(latency),
      nexus_(lun.next_nexus_++),
      session_(session),
      seen_restarts_(lun.restarts_),
      seen_resets_(lun.resets_) {
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

Result<void> MemoryBlockStore::check_open() const {
  if (closed_) return error(Errc::closed, "the block store is closed");
  if (!lun_.up_) return error(Errc::closed, "the LUN is down");
  return {};
}

Result<void> MemoryBlockStore::check_up() const {
  if (auto ok = check_open(); !ok) return ok;
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

Result<void> MemoryBlockStore::admit(Kind kind) {
  if (kind == Kind::reserve) return check_open();  // sent by a fenced node too: it is how it comes back
  if (kind == Kind::read && may_still_read()) return check_open();
  if (auto ok = check_up(); !ok) return ok;
  return kind == Kind::write ? check_write_allowed() : Result<void>();
}

// The first command after a preemption meets a unit attention; IscsiBlockStore looks for its key within a second.
bool MemoryBlockStore::may_still_read() {
  constexpr Duration kLooksWithin = std::chrono::seconds(1);
  if (!keeps_session()) return false;
  const bool preempted = key_ != 0 && !lun_.registrations_.contains(nexus_) && lun_.holder_nexus_ != 0;
  if (!preempted) {
    looks_at_.reset();
    return false;
  }
  if (!looks_at_) looks_at_ = timers_->now() + kLooksWithin;
  return timers_->now() < *looks_at_;
}

// --- commands ---

// A session that the node may use: what it lost meanwhile shows in the epoch first.
io::Task<Result<void>> MemoryBlockStore::log_in(TimePoint deadline) {
  constexpr Duration kLoginPause = std::chrono::milliseconds(50);
  while (!closed_ && (cut_ || !lun_.up_)) {
    if (timers_->now() >= deadline) co_return error(Errc::closed, "no session with the LUN for too long");
    co_await timers_->sleep(kLoginPause);
  }
  if (closed_) co_return error(Errc::closed, "the block store is closed");
  if (seen_restarts_ != lun_.restarts_ || seen_resets_ != lun_.resets_) {
    if (seen_restarts_ != lun_.restarts_) ++logins_;
    seen_restarts_ = lun_.restarts_;
    seen_resets_ = lun_.resets_;
    ++epoch_;
  }
  co_return Result<void>();
}

// False: the session was lost on the way. A cut of the network delays a command as TCP does, and breaks the session when
// it lasts.
io::Task<bool> MemoryBlockStore::travel(Duration time, uint64_t logins) {
  constexpr Duration kCutStep = std::chrono::milliseconds(20);
  constexpr Duration kCutPatience = std::chrono::seconds(2);
  co_await timers_->sleep(time);
  for (Duration waited{}; cut_ && waited < kCutPatience; waited += kCutStep) co_await timers_->sleep(kCutStep);
  if (cut_) ++logins_, ++epoch_;
  co_return !cut_ && lun_.up_ && logins == logins_ && seen_restarts_ == lun_.restarts_;
}

// Whether the command was kept on the way.
io::Task<bool> MemoryBlockStore::lag() {
  const TimePoint now = timers_->now();
  if (late_by_ > Duration(0)) last_arrival_ = std::max(last_arrival_, now + late_by_);
  if (last_arrival_ <= now) co_return false;
  co_await timers_->sleep(last_arrival_ - now);
  co_return true;
}

io::Task<MemoryBlockStore::Trip> MemoryBlockStore::send(Kind kind, Duration latency,
                                                        const std::function<Result<void>()>& execute,
                                                        Result<void>& done) {
  const uint64_t logins = logins_;
  bool late = false;
  if (kind == Kind::write || kind == Kind::reserve) late = co_await lag();
  const bool there = co_await travel(latency / 3, logins);
  if (!there) co_return Trip::lost;
  done = admit(kind);
  if (late && kind == Kind::write) ++(done ? lun_.late_writes_ : lun_.late_refused_);
  if (done) {
    const uint64_t aborts = lun_.aborts_[nexus_];
    co_await timers_->sleep(latency / 3);
    const bool ended = aborts != lun_.aborts_[nexus_] || !lun_.up_ || seen_restarts_ != lun_.restarts_;
    if (ended) co_return Trip::lost;
    done = execute();
  }
  const bool back = co_await travel(latency / 3, logins);
  co_return back ? Trip::arrived : Trip::lost;
}

io::Task<Result<void>> MemoryBlockStore::command(Kind kind, Duration latency, std::function<Result<void>()> execute,
                                                 std::function<void()> finish) {
  if (!keeps_session()) {
    // At once: a crash before the answer may or may not keep a write, as on a real device.
    Result<void> done = admit(kind);
    if (done) done = execute();
    if (!done) co_return done;
    const uint64_t restarts = lun_.restarts_;
    co_await take(latency);
    if (auto ok = kind == Kind::reserve ? check_open() : check_up(); !ok) co_return ok;
    if (lun_.restarts_ != restarts) co_return error(Errc::closed, "the LUN restarted during the command");
    if (finish) finish();
    co_return done;
  }
  const TimePoint deadline = timers_->now() + session_.retry_for;
  for (;;) {
    if (auto ok = co_await log_in(deadline); !ok) co_return ok;
    if (kind == Kind::write && write_gate_ && !write_gate_())
      co_return error(Errc::closed, "the write was not sent: this node may not write any more");
    Result<void> done;
    const Trip trip = co_await send(kind, latency, execute, done);
    if (trip == Trip::arrived) {
      if (done && finish) finish();
      co_return done;
    }
    if (kind == Kind::reserve)
      co_return error(Errc::closed, "the session was lost; whether the command was carried out is unknown");
    if (timers_->now() >= deadline) co_return error(Errc::timeout, "sessions with the LUN were lost again and again");
  }
}

io::Task<Result<void>> MemoryBlockStore::read(uint64_t offset, std::span<const Piece> into) {
  uint64_t length = 0;
  for (const Piece& piece : into) length += piece.size();
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  const std::vector<Piece> pieces(into.begin(), into.end());
  std::function<Result<void>()> fetch = [this, offset, &pieces]() -> Result<void> {
    uint64_t at = offset;
    for (const Piece& piece : pieces) {
      lun_.read(at, piece);
      at += piece.size();
    }
    return {};
  };
  if (keeps_session()) co_return co_await command(Kind::read, latency_.read, std::move(fetch));
  co_await take(latency_.read);
  if (auto ok = check_up(); !ok) co_return ok.error();
  co_return fetch();
}

io::Task<Result<void>> MemoryBlockStore::write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) {
  uint64_t length = 0;
  for (const ConstPiece& piece : from) length += piece.size();
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  const bool through = !lun_.options_.write_cache || (fua == Fua::yes && lun_.options_.fua);
  std::vector<std::byte> bytes;  // pieces may be smaller than a block
  bytes.reserve(length);
  for (const ConstPiece& piece : from) bytes.insert(bytes.end(), piece.begin(), piece.end());
  std::function<Result<void>()> store = [this, offset, &bytes]() -> Result<void> {
    lun_.write(offset, bytes, false);
    return {};
  };
  std::function<void()> destage;
  if (through) destage = [this, offset, length] { lun_.destage(offset, length); };
  co_return co_await command(Kind::write, latency_.write, std::move(store), std::move(destage));
}

io::Task<Result<void>> MemoryBlockStore::flush() {
  std::function<Result<void>()> at_target = [] { return Result<void>(); };
  std::function<void()> destage = [this] {
    if (!lun_.options_.ignores_flush) lun_.destage();
  };
  // With a session the flush is done at the target, before its answer travels.
  if (keeps_session()) {
    at_target = [destage]() -> Result<void> {
      destage();
      return {};
    };
    destage = {};
  }
  co_return co_await command(Kind::flush, latency_.flush, std::move(at_target), std::move(destage));
}

io::Task<Result<void>> MemoryBlockStore::zero(uint64_t offset, uint64_t length) {
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  std::function<Result<void>()> clear = [this, offset, length]() -> Result<void> {
    lun_.zero(offset, length);
    return {};
  };
  co_return co_await command(Kind::write, latency_.write, std::move(clear));
}

uint64_t MemoryBlockStore::epoch() const {
  return keeps_session() ? epoch_ : lun_.restarts_;
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
  key_ = 0;  // registering is how a fenced node comes back
  std::function<Result<void>()> enter = [this, key]() -> Result<void> {
    if (key == 0) {
      if (lun_.holder_nexus_ == nexus_) lun_.holder_nexus_ = 0;
      lun_.registrations_.erase(nexus_);
    } else {
      lun_.registrations_[nexus_] = key;
    }
    ++lun_.pr_generation_;
    return {};
  };
  Result<void> done = co_await command(Kind::reserve, latency_.write, std::move(enter));
  if (done) key_ = key;
  looks_at_.reset();
  co_return done;
}

io::Task<Result<void>> MemoryBlockStore::reserve(uint64_t key) {
  std::function<Result<void>()> take_it = [this, key]() -> Result<void> {
    if (auto ok = check_registered(key); !ok) return ok;
    if (lun_.holder_nexus_ != 0 && lun_.holder_nexus_ != nexus_)
      return error(Errc::fenced, "RESERVATION CONFLICT: another node holds the reservation");
    lun_.holder_nexus_ = nexus_;
    return {};
  };
  co_return co_await command(Kind::reserve, latency_.write, std::move(take_it));
}

io::Task<Result<void>> MemoryBlockStore::release(uint64_t key) {
  std::function<Result<void>()> give_up = [this, key]() -> Result<void> {
    if (auto ok = check_registered(key); !ok) return ok;
    if (lun_.holder_nexus_ == nexus_) lun_.holder_nexus_ = 0;
    return {};
  };
  co_return co_await command(Kind::reserve, latency_.write, std::move(give_up));
}

io::Task<Result<void>> MemoryBlockStore::preempt(uint64_t key, uint64_t victim, bool abort) {
  std::function<Result<void>()> shut_out = [this, key, victim, abort]() -> Result<void> {
    if (auto ok = check_registered(key); !ok) return ok;
    bool found = false;
    for (auto it = lun_.registrations_.begin(); it != lun_.registrations_.end();) {
      if (it->second != victim || it->first == nexus_) {
        ++it;
        continue;
      }
      found = true;
      if (lun_.holder_nexus_ == it->first) lun_.holder_nexus_ = nexus_;
      if (abort && lun_.options_.preempt_and_abort) ++lun_.aborts_[it->first];
      it = lun_.registrations_.erase(it);
    }
    // As IscsiBlockStore does where the device cannot abort: whatever is under way is ended by a reset.
    if (abort && !lun_.options_.preempt_and_abort) {
      ++lun_.resets_;
      for (uint64_t nexus = 1; nexus < lun_.next_nexus_; ++nexus) ++lun_.aborts_[nexus];
    }
    if (!found) return error(Errc::fenced, "RESERVATION CONFLICT: key {:#x} is not registered", victim);
    ++lun_.pr_generation_;
    return {};
  };
  co_return co_await command(Kind::reserve, latency_.write, std::move(shut_out));
}

io::Task<Result<Reservation>> MemoryBlockStore::reservation() {
  if (!geometry_.persistent_reservations) co_return error(Errc::unsupported, "the LUN has no persistent reservations");
  Reservation result;
  std::function<Result<void>()> look = [this, &result]() -> Result<void> {
    for (const auto& [nexus, key] : lun_.registrations_) result.keys.push_back(key);
    if (lun_.holder_nexus_ != 0) {
      const auto holder = lun_.registrations_.find(lun_.holder_nexus_);
      if (holder != lun_.registrations_.end()) result.holder = holder->second;
      result.type = 5;
    }
    result.generation = lun_.pr_generation_;
    return {};
  };
  Result<void> done = co_await command(Kind::reserve, latency_.read, std::move(look));
  if (!done) co_return done.error();
  co_return result;
}

}  // namespace pnfs::block
