#include "common/volume/ownership.hpp"

#include <algorithm>

namespace pnfs::volume {

namespace {

std::string describe(const OwnerRecord& owner) {
  return fmt::format("MDS '{}' (pid {}{}{})", owner.node, owner.pid, owner.host.empty() ? "" : ", host ", owner.host);
}

uint64_t nonzero(Random& random) {
  for (;;) {
    if (const uint64_t v = random.next(); v != 0) return v;
  }
}

}  // namespace

io::Task<Result<OwnerRecord>> read_owner(block::BlockStore& store, const Superblock& superblock) {
  std::vector<std::byte> blocks(2 * kMetaBlockBytes);
  const block::Piece pieces[] = {blocks};
  if (auto ok = co_await store.read(superblock.slots.offset, pieces); !ok) co_return ok.error();
  const auto first = decode_owner(std::span(blocks).first(kMetaBlockBytes));
  const auto second = decode_owner(std::span(blocks).last(kMetaBlockBytes));
  if (!first && !second) co_return first.error().with_context("both owner records are bad");
  if (!second || (first && first->heartbeat > second->heartbeat)) co_return *first;
  co_return *second;
}

io::Task<Result<void>> Ownership::take(MountOptions options, Random& random) {
  Result<OwnerRecord> found = co_await read_owner(store_, superblock_);
  if (!found && (found.error().code != Errc::corrupt || !options.force)) {
    co_return found.error().with_context("who uses the volume cannot be told (--force overrides)");
  }
  uint64_t old_key = 0;
  if (found && found->active) {
    old_key = found->key;
    const bool same_host = !found->host.empty() && found->host == options.host;
    const bool dead = same_host && options.is_dead && options.is_dead(*found);
    if (!dead && !options.force) {
      Result<void> ok = co_await wait_for_death(*found, options.lease);
      if (!ok) co_return ok.error();
    }
  }
  record_ = OwnerRecord{};
  record_.heartbeat = found ? found->heartbeat : 0;
  record_.active = true;
  record_.node = options.node;
  record_.host = options.host;
  record_.pid = options.pid;
  record_.instance = nonzero(random);
  record_.key = store_.geometry().persistent_reservations ? nonzero(random) : 0;
  record_.lease_ms =
      static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(options.lease).count());
  record_.mounted_seconds = static_cast<uint64_t>(timers_.clock().wall().seconds);
  if (record_.key != 0) {
    Result<void> ok = co_await shut_out(old_key);
    if (!ok) co_return ok.error().with_context("taking the volume over");
  }
  co_return co_await write_record();
}

// No clock is shared with the owner: it is alive when its heartbeat moves while we watch.
io::Task<Result<void>> Ownership::wait_for_death(OwnerRecord seen, Duration lease) {
  lease = std::max<Duration>(lease, std::chrono::milliseconds(seen.lease_ms));
  const TimePoint until = timers_.now() + lease;
  while (timers_.now() < until) {
    co_await timers_.sleep(lease / 8);
    const Result<OwnerRecord> now = co_await read_owner(store_, superblock_);
    if (!now) co_return now.error();
    if (now->active && (now->instance != seen.instance || now->heartbeat != seen.heartbeat)) {
      co_return error(Errc::busy,
                      "volume {}:{} is in use by {}; stop that one first, or use --force if it is certainly gone",
                      superblock_.cluster, superblock_.name, describe(*now));
    }
    if (!now->active) co_return Result<void>();  // it ended cleanly meanwhile
  }
  co_return Result<void>();
}

// Whoever was owner before must not be able to write any more before we read the catalog.
io::Task<Result<void>> Ownership::shut_out(uint64_t old_key) {
  Result<void> ok = co_await store_.register_key(record_.key);
  if (!ok) co_return ok.error();
  // Data servers may register or leave meanwhile: look again after each step, a bounded number of times.
  for (int attempt = 0; attempt < 8; ++attempt) {
    const Result<block::Reservation> now = co_await store_.reservation();
    if (!now) co_return now.error();
    const bool old_registered =
        old_key != 0 && std::find(now->keys.begin(), now->keys.end(), old_key) != now->keys.end();
    if (now->holder == record_.key && !old_registered) co_return Result<void>();
    if (now->holder == 0) {
      ok = co_await store_.reserve(record_.key);
    } else {
      // Preempting the holder hands the reservation to us.
      ok = co_await store_.preempt(record_.key, now->holder != record_.key ? now->holder : old_key, true);
    }
    if (!ok && ok.error().code != Errc::fenced) co_return ok.error();
  }
  co_return error(Errc::busy,
                  "the LUN's persistent reservation changed hands again and again; is another MDS starting?");
}

// Durable before the other copy is written: a device that loses its cache must not take both with it, nor bring back
// those of the owner before.
io::Task<Result<void>> Ownership::write_record() {
  ++record_.heartbeat;
  const auto block = encode(record_);
  const block::ConstPiece pieces[] = {block};
  const uint64_t at = superblock_.slots.offset + record_.heartbeat % 2 * kMetaBlockBytes;
  Result<void> ok = co_await store_.write(at, pieces, block::Fua::yes);
  if (!ok || store_.geometry().fua) co_return ok;
  co_return co_await store_.flush();
}

io::Task<Result<void>> Ownership::keep() {
  const Duration lease = std::chrono::milliseconds(record_.lease_ms);
  TimePoint renewed = timers_.now();
  for (;;) {
    co_await timers_.sleep(lease / 6);
    if (record_.key == 0) {
      // Nothing shuts us out on the device, so look whether somebody took over.
      const Result<OwnerRecord> now = co_await read_owner(store_, superblock_);
      if (now && now->instance != record_.instance) {
        co_return error(Errc::fenced, "{} has taken the volume over", describe(*now));
      }
    }
    Result<void> ok = co_await write_record();
    if (!ok && ok.error().code == Errc::fenced) ok = co_await reassert();
    if (!ok && ok.error().code == Errc::fenced) co_return ok.error();
    if (ok) renewed = timers_.now();
    // Without reservations a newcomer may already be writing: stop before it can.
    if (record_.key == 0 && timers_.now() - renewed >= lease) {
      co_return error(Errc::fenced, "the heartbeat could not be renewed for {} ms", record_.lease_ms);
    }
  }
}

io::Task<Result<void>> Ownership::reassert() {
  const Result<block::Reservation> now = co_await store_.reservation();
  if (!now) co_return now.error();
  if (now->holder != 0 && now->holder != record_.key) {
    co_return error(Errc::fenced, "another node holds the LUN's reservation (key {:#x})", now->holder);
  }
  if (auto ok = co_await store_.register_key(record_.key); !ok) co_return ok.error();
  // A fenced store reads nothing, so the record is looked at only now: a successor may have taken over before the
  // target forgot.
  const Result<OwnerRecord> owner = co_await read_owner(store_, superblock_);
  if (!owner || owner->instance != record_.instance) {
    Result<void> gone = co_await store_.register_key(0);
    if (!gone) spdlog::warn("volume {}: {}", superblock_.name, gone.error().reason);
    if (!owner) co_return owner.error();
    co_return error(Errc::fenced, "{} has taken the volume over", describe(*owner));
  }
  spdlog::warn("volume {}: the target forgot its persistent reservations; set again", superblock_.name);
  co_return co_await store_.reserve(record_.key);
}

io::Task<Result<void>> Ownership::give_up() {
  record_.active = false;
  Result<void> ok = co_await write_record();
  if (!ok) co_return ok.error();
  if (record_.key == 0) co_return ok;
  ok = co_await store_.release(record_.key);
  if (ok) ok = co_await store_.register_key(0);
  co_return ok;
}

}  // namespace pnfs::volume
