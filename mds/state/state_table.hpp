// Opens, byte-range locks and delegations of all clients (RFC 8881 sections 8 to 10): the decisions, without clock,
// socket or volume. Each call checks and changes at once; nothing here waits.
//
// Names: `client` is the client id of the session the request came in on (the clientid inside an owner is ignored, RFC
// 8881 2.10.13: the session implies it). Stateids passed in are never the "current stateid" special: the compound
// resolves that. Layout stateids are kept by mds/layout, which is asked through LayoutStates.
#pragma once

#include <optional>
#include <span>

#include "common/nfs/status.hpp"
#include "mds/state/entries.hpp"

namespace pnfs::mds::state {

using nfs::Status;

// What the pNFS layer answers for stateids of kind layout, so that TEST_STATEID, FREE_STATEID, DESTROY_CLIENTID and
// expiry see one state.
class LayoutStates {
 public:
  virtual ~LayoutStates() = default;
  virtual Status test(clientid4 client, const stateid4& stateid) const = 0;
  virtual Status free(clientid4 client, const stateid4& stateid) = 0;
  virtual bool has_state(clientid4 client) const = 0;
  virtual bool has_revoked(clientid4 client) const = 0;
  virtual void drop_client(clientid4 client) = 0;
  // The last OPEN, delegation and lock of the client on the file is gone.
  virtual void client_closed(clientid4 client, FileId file) = 0;
};

struct Limits {
  uint32_t stateids_per_client = 65536;
  uint32_t lock_ranges_per_file = 65536;
  uint64_t bytes_per_client = 64ull << 20;
};

class StateTable {
 public:
  explicit StateTable(uint32_t instance, Limits limits = {}) : instance_(instance), limits_(limits) {}
  void set_layouts(LayoutStates* layouts) { layouts_ = layouts; }
  uint32_t instance() const { return instance_; }

  // A fresh identity for a stateid of any kind (layouts use it too).
  StateKey new_key(StateKind kind) { return {instance_, kind, next_serial_++}; }

  // ---- share reservations (open.cpp)
  struct OpenArgs {
    clientid4 client = 0;
    std::string_view owner;
    FileId file = 0;
    uint32_t access = 0;  // kShare*
    uint32_t deny = 0;
  };
  // Clients whose opens stand in the way; the caller may find that some of them have expired (courtesy) and try again.
  std::vector<clientid4> share_conflicts(const OpenArgs& args) const;
  // SHARE_DENIED; DELAY: the client has all the state it may have.
  Status open(const OpenArgs& args, stateid4& out);
  Status downgrade(clientid4 client, FileId file, const stateid4& stateid, uint32_t access, uint32_t deny,
                   stateid4& out);
  // The file's locks under this open are released with it.
  Status close(clientid4 client, FileId file, const stateid4& stateid);
  bool is_open(FileId file) const;
  // Somebody denies `access` (kShare*) on the file: for REMOVE and RENAME over (FILE_OPEN) and special stateids.
  std::vector<clientid4> deny_conflicts(FileId file, uint32_t access) const;

  // ---- byte-range locks (lock.cpp)
  struct LockDenied {
    ByteRange range;
    bool exclusive = false;
    clientid4 client = 0;
    std::string owner;
  };
  struct LockArgs {
    clientid4 client = 0;
    FileId file = 0;
    stateid4 stateid;                       // of the open when `new_owner`, else of the lock
    std::optional<std::string_view> owner;  // open_to_lock_owner4's lock_owner
    ByteRange range;
    bool exclusive = false;
    TimePoint now{};
  };
  // NFS4ERR_DENIED fills `denied`, also with a waiter whose turn it is (RFC 8881 9.6).
  Status lock(const LockArgs& args, stateid4& out, LockDenied& denied);
  Status test_lock(clientid4 client, std::string_view owner, FileId file, ByteRange range, bool exclusive,
                   LockDenied& denied) const;
  Status unlock(clientid4 client, FileId file, const stateid4& stateid, ByteRange range, stateid4& out);
  // The lock-owner behind a lock stateid that find() accepts; empty for others.
  std::string_view lock_owner_of(const stateid4& stateid) const;
  // A blocked request asks to be told (bounded per file). Asking again keeps its place, and ends its turn.
  void wait_for_lock(FileId file, WaitingLock waiting);
  struct LockHint {
    clientid4 client = 0;
    FileId file = 0;
    std::string owner;
  };
  // Waiters that would now succeed, oldest first; each has its turn until `turn` has passed. Those who stopped waiting
  // or let their turn pass are forgotten.
  std::vector<LockHint> take_lock_hints(FileId file, TimePoint now, Duration turn);

  // ---- delegations (delegation.cpp)
  struct Recall {
    clientid4 client = 0;
    FileId file = 0;
    stateid4 stateid;
    bool write = false;
    session::RequestName granted_by;
  };
  // Whether the table would allow it; whether it is wise is the caller's policy.
  bool may_delegate(clientid4 client, FileId file, bool write) const;
  // When a delegation of the file was recalled last, if anybody remembers: a file that several clients work on is better
  // off without.
  std::optional<TimePoint> last_recall(FileId file) const;
  // `change`: the file's change attribute now; `by`: the request that is answered with it.
  stateid4 delegate(clientid4 client, FileId file, bool write, uint64_t change = 0, session::RequestName by = {});
  // Delegations that `client` (0: nobody's, e.g. a data server) must wait for before it reads (modifies false) or
  // changes the file. Newly conflicting ones are marked recalled at `now`; `fresh` says which of them need a CB_RECALL.
  struct Conflicts {
    std::vector<Recall> fresh;
    std::vector<clientid4> clients;  // who holds them, each once per delegation
    size_t pending = 0;              // fresh ones included
    bool any() const { return pending != 0; }
  };
  Conflicts recall_conflicts(clientid4 client, FileId file, bool modifies, TimePoint now);
  Status return_delegation(clientid4 client, FileId file, const stateid4& stateid);
  // It has neither been returned nor revoked.
  bool is_out(const stateid4& delegation) const;
  // Recalled before `deadline` and still out.
  std::vector<Recall> overdue(TimePoint deadline) const;
  // The delegation ends for everybody; its stateid answers DELEG_REVOKED until FREE_STATEID.
  void revoke_delegation(const stateid4& stateid);
  const DelegationEntry* delegation_of(clientid4 client, FileId file) const;
  const DelegationEntry* write_delegation(FileId file) const;
  stateid4 stateid_of(const DelegationEntry& delegation) const;
  // The holder of a write delegation was asked about the file, whose size here is `here` (RFC 8881 10.4.3).
  struct Told {
    uint64_t change = 0;
    uint64_t size = 0;
  };
  enum class Holder { gone, unmodified, modified };
  // gone: the delegation went while the question was under way.
  Holder holder_told(const stateid4& delegation, const Told& told, uint64_t here);

  // ---- stateids (check.cpp)
  // The rules of RFC 8881 8.2.2 for a stateid used by `client` on `file`: BAD_STATEID, OLD_STATEID, EXPIRED,
  // ADMIN_REVOKED, DELEG_REVOKED. `found` is set on success.
  Status find(clientid4 client, FileId file, const stateid4& stateid, Entry*& found) const;
  // May this stateid be used to read, write (access kShare*) or, with a size, SETATTR the file? Special stateids are
  // held against the share denials (LOCKED). Also asked by the control program for data servers.
  // OPENMODE: the open's access does not allow it.
  Status check_io(clientid4 client, FileId file, const stateid4& stateid, uint32_t access) const;
  // The open (directly or below a lock) or delegation behind a stateid allows these kShare* bits.
  static uint32_t allowed_access(const Entry& entry);
  Status test(clientid4 client, const stateid4& stateid) const;
  Status free(clientid4 client, const stateid4& stateid);

  // ---- clients (client.cpp)
  bool has_state(clientid4 client) const;
  bool has_revoked(clientid4 client) const;
  // DELAY: one more stateid (for this owner) would be too many, or too much memory, for the client.
  Status room_for_one(clientid4 client, std::string_view owner = {}) const;
  // Everything of this client goes. Gives the files that are now open nowhere.
  std::vector<FileId> drop_client(clientid4 client);

  struct Counts {
    size_t clients = 0, opens = 0, locks = 0, delegations = 0;
  };
  Counts counts() const;
  const FileState* file(FileId file) const;
  const ClientState* client(clientid4 client) const;

 private:
  FileState& file_for(FileId file) { return files_[file]; }
  FileState* find_file(FileId file);
  ClientState& client_for(clientid4 client) { return clients_[client]; }
  void tidy_file(FileId file);
  void tidy_client(clientid4 client);
  template <class T, class... Args>
  T* add(StateKind kind, Args&&... args);
  void forget(Entry* entry);
  void erase_open(OpenEntry* open);
  void erase_lock(LockEntry* lock);
  void erase_delegation(DelegationEntry* delegation);
  // What the ranges of a lock take has changed since they were `before`.
  void account_ranges(const LockEntry& lock, size_t before);
  Status share_check(const OpenArgs& args, const OpenEntry* own) const;
  const LockEntry* lock_conflict(const FileState& file, clientid4 client, std::string_view owner, ByteRange range,
                                 bool exclusive, LockDenied* denied) const;
  static const WaitingLock* turn_conflict(const FileState& file, clientid4 client, std::string_view owner,
                                          ByteRange range, bool exclusive, TimePoint now);
  Status find_any(clientid4 client, const stateid4& stateid, Entry*& found) const;

  uint32_t instance_;
  Limits limits_;
  LayoutStates* layouts_ = nullptr;
  uint64_t next_serial_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Entry>> entries_;  // by serial
  std::unordered_map<FileId, FileState> files_;
  std::unordered_map<clientid4, ClientState> clients_;
  std::unordered_map<FileId, TimePoint> recalls_;  // the latest of each file; forgotten when they are many
  Counts counts_;
};

template <class T, class... Args>
T* StateTable::add(StateKind kind, Args&&... args) {
  const StateKey key = new_key(kind);
  auto entry = std::make_unique<T>(key.serial, std::forward<Args>(args)...);
  T* raw = entry.get();
  entries_.emplace(key.serial, std::move(entry));
  ClientState& client = client_for(raw->client);
  client.entries.insert(raw);
  client.bytes += kEntryBytes;
  return raw;
}

}  // namespace pnfs::mds::state
