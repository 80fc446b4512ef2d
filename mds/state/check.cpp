// The rules for a stateid that comes in (RFC 8881 8.2.2 to 8.2.4, 9.1.2, 18.38, 18.48).
#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {

using nfs::fail;

Status StateTable::find_any(clientid4 client, const stateid4& stateid, Entry*& found) const {
  found = nullptr;
  if (special_kind(stateid) != Special::none) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.3", "the {} stateid names no state", describe(stateid));
  }
  const auto key = StateKey::from(stateid);
  if (!key) return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.4", "this server never made such a stateid");
  if (key->instance != instance_) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.4", "{} is of server instance {}, this is {}", describe(stateid),
                key->instance, instance_);
  }
  const auto entry = entries_.find(key->serial);
  if (entry == entries_.end() || entry->second->kind != key->kind) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.4", "{} is not held any more", describe(stateid));
  }
  if (entry->second->client != client) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.4", "{} is client {:#x}'s, not {:#x}'s", describe(stateid),
                entry->second->client, client);
  }
  switch (compare_seqid(stateid.seqid, entry->second->seqid)) {
    case SeqidOrder::current:
      break;
    case SeqidOrder::old:
      return fail(nfs::NFS4ERR_OLD_STATEID, "8.2.2", "{} is older than seqid {}", describe(stateid),
                  entry->second->seqid);
    case SeqidOrder::future:
      return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.2", "{} is newer than seqid {}", describe(stateid),
                  entry->second->seqid);
  }
  found = entry->second.get();
  if (!found->revoked) return {};
  if (found->kind == StateKind::delegation) {
    return fail(nfs::NFS4ERR_DELEG_REVOKED, "15.1.5.3", "{} was not returned in time", describe(stateid));
  }
  return fail(nfs::NFS4ERR_ADMIN_REVOKED, "15.1.5.1", "{} was revoked", describe(stateid));
}

Status StateTable::find(clientid4 client, FileId file, const stateid4& stateid, Entry*& found) const {
  if (Status status = find_any(client, stateid, found); !status) return status;
  if (found->file != file) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "8.2.4", "{} belongs to file {}, the filehandle to file {}",
                describe(stateid), found->file, file);
  }
  return {};
}

uint32_t StateTable::allowed_access(const Entry& entry) {
  switch (entry.kind) {
    case StateKind::open:
      return static_cast<const OpenEntry&>(entry).access;
    case StateKind::lock:
      return static_cast<const LockEntry&>(entry).open->access;
    case StateKind::delegation:
      return static_cast<const DelegationEntry&>(entry).write ? kShareBoth : kShareRead;
    case StateKind::layout:
      break;
  }
  return 0;
}

Status StateTable::check_io(clientid4 client, FileId file, const stateid4& stateid, uint32_t access) const {
  const Special special = special_kind(stateid);
  if (special == Special::anonymous || special == Special::read_bypass) {
    // A WRITE with the read-bypass stateid is treated as with the anonymous one (8.2.3).
    if (special == Special::read_bypass && access == kShareRead) return {};
    const auto denied = deny_conflicts(file, access);
    if (denied.empty()) return {};
    return fail(nfs::NFS4ERR_LOCKED, "9.1.2", "client {:#x} denies this access to file {}", denied.front(), file);
  }
  Entry* found = nullptr;
  if (Status status = find(client, file, stateid, found); !status) return status;
  uint32_t allowed = allowed_access(*found);
  // A page cache must be able to read around what it writes: "the server may allow READ" with write access (9.1.2).
  if ((allowed & kShareWrite) != 0) allowed |= kShareRead;
  if ((access & ~allowed) != 0) {
    return fail(nfs::NFS4ERR_OPENMODE, "9.1.2", "{} allows access {}, not {}", describe(stateid),
                allowed_access(*found), access);
  }
  return {};
}

Status StateTable::test(clientid4 client, const stateid4& stateid) const {
  const auto key = StateKey::from(stateid);
  if (special_kind(stateid) == Special::none && key && key->kind == StateKind::layout && key->instance == instance_ &&
      layouts_ != nullptr) {
    return layouts_->test(client, stateid);
  }
  Entry* found = nullptr;
  return find_any(client, stateid, found);
}

Status StateTable::free(clientid4 client, const stateid4& stateid) {
  const auto key = StateKey::from(stateid);
  if (special_kind(stateid) == Special::none && key && key->kind == StateKind::layout && key->instance == instance_ &&
      layouts_ != nullptr) {
    return layouts_->free(client, stateid);
  }
  Entry* found = nullptr;
  Status status = find_any(client, stateid, found);
  if (found == nullptr) return status;
  if (found->revoked) {
    if (found->kind == StateKind::delegation) erase_delegation(static_cast<DelegationEntry*>(found));
    return {};
  }
  if (found->kind == StateKind::lock) {
    auto* lock = static_cast<LockEntry*>(found);
    if (!lock->ranges.empty()) {
      return fail(nfs::NFS4ERR_LOCKS_HELD, "18.38.3", "{} still holds {} ranges", describe(stateid),
                  lock->ranges.held().size());
    }
    const FileId file = lock->file;
    erase_lock(lock);
    tidy_file(file);
    return {};
  }
  return fail(nfs::NFS4ERR_LOCKS_HELD, "18.38.3", "{} is in use", describe(stateid));
}

}  // namespace pnfs::mds::state
