// The records behind stateids. Owned by StateTable, which alone makes and destroys them; pointers between them are
// valid as long as both ends are in the table.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/base/clock.hpp"
#include "common/session/types.hpp"
#include "mds/state/ranges.hpp"
#include "mds/state/stateid.hpp"

namespace pnfs::mds::state {

// OPEN4_SHARE_ACCESS_* and OPEN4_SHARE_DENY_* without the WANT bits.
inline constexpr uint32_t kShareRead = 1;
inline constexpr uint32_t kShareWrite = 2;
inline constexpr uint32_t kShareBoth = 3;

struct OpenOwner;
struct LockOwner;
struct LockEntry;

struct Entry {
  Entry(StateKind kind, uint64_t serial, clientid4 client, FileId file)
      : kind(kind), serial(serial), client(client), file(file) {}
  virtual ~Entry() = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  const StateKind kind;
  const uint64_t serial;
  const clientid4 client;
  const FileId file;
  uint32_t seqid = 1;
  bool revoked = false;  // kept only until FREE_STATEID (RFC 8881 18.38)
};

struct OpenEntry final : Entry {
  OpenEntry(uint64_t serial, clientid4 client, FileId file, OpenOwner* owner)
      : Entry(StateKind::open, serial, client, file), owner(owner) {}
  OpenOwner* owner;
  uint32_t access = 0;
  uint32_t deny = 0;
  // Bit (access << 2 | deny) for each combination opened: OPEN_DOWNGRADE may only go to a union of some of them
  // (RFC 8881 18.18.3).
  uint16_t history = 0;
  std::vector<LockEntry*> locks;
};

struct LockEntry final : Entry {
  LockEntry(uint64_t serial, clientid4 client, FileId file, LockOwner* owner, OpenEntry* open)
      : Entry(StateKind::lock, serial, client, file), owner(owner), open(open) {}
  LockOwner* owner;
  OpenEntry* open;
  RangeSet ranges;
};

struct DelegationEntry final : Entry {
  DelegationEntry(uint64_t serial, clientid4 client, FileId file, bool write)
      : Entry(StateKind::delegation, serial, client, file), write(write) {}
  const bool write;
  bool recalled = false;
  TimePoint recalled_at{};
  // Of a write delegation, for CB_GETATTR (RFC 8881 10.4.3): the file's change attribute when it was granted, and
  // whether the holder has ever said that it holds modified data.
  uint64_t change = 0;
  bool modified = false;
  // The request whose reply gave it to the client: what a recall that may overtake that reply refers to (2.10.6.3).
  session::RequestName granted_by;
};

struct OpenOwner {
  std::string owner;
  std::unordered_map<FileId, OpenEntry*> opens;
};

struct LockOwner {
  std::string owner;
  std::unordered_map<FileId, LockEntry*> locks;
};

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Owner>
using OwnerMap = std::unordered_map<std::string, std::unique_ptr<Owner>, StringHash, std::equal_to<>>;

struct ClientState {
  OwnerMap<OpenOwner> open_owners;
  OwnerMap<LockOwner> lock_owners;
  std::unordered_set<Entry*> entries;
  uint32_t revoked = 0;  // how many of them are revoked: SEQUENCE status flags
  uint64_t bytes = 0;    // what all this takes, about
};

// About what one record takes with its places in the tables; owner strings are kept twice.
inline constexpr uint64_t kEntryBytes = 320;
inline constexpr uint64_t kOwnerBytes = 160;
inline constexpr uint64_t owner_bytes(std::string_view owner) {
  return kOwnerBytes + 2 * owner.size();
}

// A lock somebody waits for (READW_LT, WRITEW_LT). Whoever has waited longest is told when it may succeed
// (CB_NOTIFY_LOCK) and has its turn: nobody else gets what it waits for meanwhile.
struct WaitingLock {
  clientid4 client;
  std::string owner;
  ByteRange range;
  bool exclusive;
  TimePoint until;  // it asks again before, or waits no more
  std::optional<TimePoint> turn_until{};

  bool has_turn(TimePoint now) const { return turn_until && now < *turn_until; }
  bool excludes(ByteRange other, bool other_exclusive) const {
    return (exclusive || other_exclusive) && range.overlaps(other);
  }
};

struct FileState {
  std::vector<OpenEntry*> opens;
  std::vector<LockEntry*> locks;
  std::vector<DelegationEntry*> delegations;
  std::vector<WaitingLock> waiting;
  bool empty() const { return opens.empty() && locks.empty() && delegations.empty() && waiting.empty(); }
};

}  // namespace pnfs::mds::state
