// Byte-range locks (RFC 8881 9.1 to 9.6, 18.10 to 18.12). Advisory: READ and WRITE do not look at them.
#include <algorithm>

#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {

using nfs::fail;

namespace {
constexpr size_t kMaxWaitingPerFile = 1024;
constexpr size_t kRangesForFree = 16;  // an owner with fewer may always lock, whatever memory its client takes
}  // namespace

const LockEntry* StateTable::lock_conflict(const FileState& file, clientid4 client, std::string_view owner,
                                           ByteRange range, bool exclusive, LockDenied* denied) const {
  for (const LockEntry* held : file.locks) {
    if (held->client == client && held->owner->owner == owner) continue;
    if (const auto conflict = held->ranges.conflict(range, exclusive)) {
      if (denied != nullptr) *denied = {conflict->range, conflict->exclusive, held->client, held->owner->owner};
      return held;
    }
  }
  return nullptr;
}

const WaitingLock* StateTable::turn_conflict(const FileState& file, clientid4 client, std::string_view owner,
                                             ByteRange range, bool exclusive, TimePoint now) {
  for (const WaitingLock& waiting : file.waiting) {
    if (waiting.client == client && waiting.owner == owner) continue;
    if (waiting.has_turn(now) && waiting.excludes(range, exclusive)) return &waiting;
  }
  return nullptr;
}

Status StateTable::lock(const LockArgs& args, stateid4& out, LockDenied& denied) {
  Entry* found = nullptr;
  if (Status status = find(args.client, args.file, args.stateid, found); !status) return status;
  OpenEntry* open = nullptr;
  LockEntry* mine = nullptr;
  std::string_view owner;
  if (args.owner) {
    if (found->kind != StateKind::open) {
      return fail(nfs::NFS4ERR_BAD_STATEID, "18.10.3", "{} is not an open stateid", describe(args.stateid));
    }
    open = static_cast<OpenEntry*>(found);
    owner = *args.owner;
    const auto& owners = client_for(args.client).lock_owners;
    if (auto known = owners.find(owner); known != owners.end()) {
      if (auto held = known->second->locks.find(args.file); held != known->second->locks.end()) mine = held->second;
    }
  } else {
    if (found->kind != StateKind::lock) {
      return fail(nfs::NFS4ERR_BAD_STATEID, "18.10.3", "{} is not a lock stateid", describe(args.stateid));
    }
    mine = static_cast<LockEntry*>(found);
    open = mine->open;
    owner = mine->owner->owner;
  }
  const uint32_t need = args.exclusive ? kShareWrite : kShareRead;
  if ((open->access & need) == 0) {
    return fail(nfs::NFS4ERR_OPENMODE, "18.10.3", "a {} lock needs an open for {}, this one has access {}",
                args.exclusive ? "write" : "read", args.exclusive ? "writing" : "reading", open->access);
  }
  FileState& file = file_for(args.file);
  if (lock_conflict(file, args.client, owner, args.range, args.exclusive, &denied) != nullptr) {
    return fail(nfs::NFS4ERR_DENIED, "18.10.3", "bytes {} to {} are locked by client {:#x}", denied.range.begin,
                denied.range.last, denied.client);
  }
  if (const WaitingLock* first = turn_conflict(file, args.client, owner, args.range, args.exclusive, args.now)) {
    denied = {first->range, first->exclusive, first->client, first->owner};
    return fail(nfs::NFS4ERR_DENIED, "9.6", "client {:#x} has waited longer for bytes {} to {} and was just told",
                denied.client, denied.range.begin, denied.range.last);
  }
  if (mine != nullptr && mine->ranges.held().size() >= limits_.lock_ranges_per_file) {
    return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "one lock-owner holds {} ranges of file {}, as many as are allowed",
                mine->ranges.held().size(), args.file);
  }
  if (mine == nullptr || mine->ranges.held().size() >= kRangesForFree) {
    if (Status room = room_for_one(args.client, owner); !room) return room;
  }
  if (mine == nullptr) {
    ClientState& client = client_for(args.client);
    auto& owners = client.lock_owners;
    auto known = owners.find(owner);
    if (known == owners.end()) {
      auto made = std::make_unique<LockOwner>();
      made->owner = owner;
      client.bytes += owner_bytes(owner);
      known = owners.emplace(std::string(owner), std::move(made)).first;
    }
    mine = add<LockEntry>(StateKind::lock, args.client, args.file, known->second.get(), open);
    known->second->locks.emplace(args.file, mine);
    open->locks.push_back(mine);
    file.locks.push_back(mine);
    ++counts_.locks;
  } else {
    mine->seqid = next_seqid(mine->seqid);
  }
  const size_t before = mine->ranges.held().size();
  mine->ranges.lock(args.range, args.exclusive);
  account_ranges(*mine, before);
  std::erase_if(file.waiting, [&](const WaitingLock& w) { return w.client == args.client && w.owner == owner; });
  out = StateKey{instance_, StateKind::lock, mine->serial}.with_seqid(mine->seqid);
  return {};
}

Status StateTable::test_lock(clientid4 client, std::string_view owner, FileId file, ByteRange range, bool exclusive,
                             LockDenied& denied) const {
  const FileState* state = this->file(file);
  if (state == nullptr || lock_conflict(*state, client, owner, range, exclusive, &denied) == nullptr) return {};
  return fail(nfs::NFS4ERR_DENIED, "18.11.3", "bytes {} to {} are locked by client {:#x}", denied.range.begin,
              denied.range.last, denied.client);
}

Status StateTable::unlock(clientid4 client, FileId file, const stateid4& stateid, ByteRange range, stateid4& out) {
  Entry* found = nullptr;
  if (Status status = find(client, file, stateid, found); !status) return status;
  if (found->kind != StateKind::lock) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "18.12.3", "{} is not a lock stateid", describe(stateid));
  }
  auto& lock = static_cast<LockEntry&>(*found);
  const size_t before = lock.ranges.held().size();
  lock.ranges.unlock(range);
  account_ranges(lock, before);
  lock.seqid = next_seqid(lock.seqid);
  out = StateKey{instance_, StateKind::lock, lock.serial}.with_seqid(lock.seqid);
  return {};
}

void StateTable::erase_lock(LockEntry* lock) {
  const size_t before = lock->ranges.held().size();
  lock->ranges = {};
  account_ranges(*lock, before);
  FileState& file = file_for(lock->file);
  file.locks.erase(std::find(file.locks.begin(), file.locks.end(), lock));
  auto& siblings = lock->open->locks;
  siblings.erase(std::find(siblings.begin(), siblings.end(), lock));
  LockOwner* owner = lock->owner;
  owner->locks.erase(lock->file);
  if (owner->locks.empty()) {
    ClientState& holder = client_for(lock->client);
    holder.bytes -= owner_bytes(owner->owner);
    holder.lock_owners.erase(holder.lock_owners.find(owner->owner));
  }
  --counts_.locks;
  forget(lock);
}

std::string_view StateTable::lock_owner_of(const stateid4& stateid) const {
  const auto key = StateKey::from(stateid);
  const auto entry = key ? entries_.find(key->serial) : entries_.end();
  if (entry == entries_.end() || entry->second->kind != StateKind::lock) return {};
  return static_cast<const LockEntry&>(*entry->second).owner->owner;
}

void StateTable::wait_for_lock(FileId file, WaitingLock waiting) {
  FileState& state = file_for(file);
  for (WaitingLock& known : state.waiting) {
    if (known.client == waiting.client && known.owner == waiting.owner && known.range == waiting.range) {
      known.until = waiting.until;
      known.turn_until.reset();
      return;
    }
  }
  if (state.waiting.size() < kMaxWaitingPerFile) state.waiting.push_back(std::move(waiting));
}

std::vector<StateTable::LockHint> StateTable::take_lock_hints(FileId file, TimePoint now, Duration turn) {
  std::vector<LockHint> hints;
  FileState* state = find_file(file);
  if (state == nullptr) return hints;
  std::erase_if(state->waiting,
                [&](const WaitingLock& w) { return w.until <= now || (w.turn_until && !w.has_turn(now)); });
  for (WaitingLock& waiting : state->waiting) {
    if (waiting.has_turn(now)) continue;
    if (lock_conflict(*state, waiting.client, waiting.owner, waiting.range, waiting.exclusive, nullptr) != nullptr ||
        turn_conflict(*state, waiting.client, waiting.owner, waiting.range, waiting.exclusive, now) != nullptr) {
      continue;
    }
    waiting.turn_until = now + turn;
    hints.push_back({waiting.client, file, waiting.owner});
  }
  tidy_file(file);
  return hints;
}

}  // namespace pnfs::mds::state
