// Share reservations (RFC 8881 9.7, 18.16, 18.18, 18.2).
#include <algorithm>

#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {

using nfs::fail;

namespace {

uint16_t combination(uint32_t access, uint32_t deny) {
  return static_cast<uint16_t>(1u << (access << 2 | deny));
}

// The union of all opened combinations that lie within (access, deny).
std::pair<uint32_t, uint32_t> union_within(uint16_t history, uint32_t access, uint32_t deny) {
  uint32_t sum_access = 0, sum_deny = 0;
  for (uint32_t a = 0; a <= kShareBoth; ++a) {
    for (uint32_t d = 0; d <= kShareBoth; ++d) {
      if ((history & combination(a, d)) == 0 || (a & ~access) != 0 || (d & ~deny) != 0) continue;
      sum_access |= a;
      sum_deny |= d;
    }
  }
  return {sum_access, sum_deny};
}

template <class Container, class T>
void remove_from(Container& container, T* item) {
  container.erase(std::find(container.begin(), container.end(), item));
}

}  // namespace

Status StateTable::share_check(const OpenArgs& args, const OpenEntry* own) const {
  const FileState* file = this->file(args.file);
  if (file == nullptr) return {};
  for (const OpenEntry* other : file->opens) {
    if (other == own) continue;
    if ((args.access & other->deny) != 0 || (args.deny & other->access) != 0) {
      return fail(nfs::NFS4ERR_SHARE_DENIED, "18.16.3",
                  "access {} deny {} meets client {:#x}, which holds access {} deny {} on file {}", args.access,
                  args.deny, other->client, other->access, other->deny, args.file);
    }
  }
  return {};
}

std::vector<clientid4> StateTable::share_conflicts(const OpenArgs& args) const {
  std::vector<clientid4> result;
  const FileState* file = this->file(args.file);
  if (file == nullptr) return result;
  for (const OpenEntry* other : file->opens) {
    if (other->client == args.client && other->owner->owner == args.owner) continue;
    if ((args.access & other->deny) != 0 || (args.deny & other->access) != 0) result.push_back(other->client);
  }
  return result;
}

Status StateTable::open(const OpenArgs& args, stateid4& out) {
  OpenEntry* own = nullptr;
  if (const ClientState* known = client(args.client)) {
    if (auto owner = known->open_owners.find(args.owner); owner != known->open_owners.end()) {
      if (auto held = owner->second->opens.find(args.file); held != owner->second->opens.end()) own = held->second;
    }
  }
  if (own == nullptr) {
    if (Status room = room_for_one(args.client, args.owner); !room) return room;
  }
  if (Status allowed = share_check(args, own); !allowed) return allowed;

  if (own != nullptr) {
    own->seqid = next_seqid(own->seqid);
  } else {
    ClientState& state = client_for(args.client);
    auto owner = state.open_owners.find(args.owner);
    if (owner == state.open_owners.end()) {
      auto made = std::make_unique<OpenOwner>();
      made->owner = args.owner;
      state.bytes += owner_bytes(args.owner);
      owner = state.open_owners.emplace(std::string(args.owner), std::move(made)).first;
    }
    own = add<OpenEntry>(StateKind::open, args.client, args.file, owner->second.get());
    owner->second->opens.emplace(args.file, own);
    file_for(args.file).opens.push_back(own);
    ++counts_.opens;
  }
  own->access |= args.access;
  own->deny |= args.deny;
  own->history |= combination(args.access, args.deny);
  out = StateKey{instance_, StateKind::open, own->serial}.with_seqid(own->seqid);
  return {};
}

Status StateTable::downgrade(clientid4 client, FileId file, const stateid4& stateid, uint32_t access, uint32_t deny,
                             stateid4& out) {
  Entry* found = nullptr;
  if (Status status = find(client, file, stateid, found); !status) return status;
  if (found->kind != StateKind::open) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "18.18.3", "{} is not an open stateid", describe(stateid));
  }
  auto& open = static_cast<OpenEntry&>(*found);
  if (access == 0 || (access & ~kShareBoth) != 0 || (deny & ~kShareBoth) != 0) {
    return fail(nfs::NFS4ERR_INVAL, "18.18.3", "access {} deny {} is no share reservation", access, deny);
  }
  if (union_within(open.history, access, deny) != std::pair(access, deny)) {
    return fail(nfs::NFS4ERR_INVAL, "18.18.3",
                "access {} deny {} is not a union of opens in effect (access {} deny {})", access, deny, open.access,
                open.deny);
  }
  for (uint32_t a = 0; a <= kShareBoth; ++a) {
    for (uint32_t d = 0; d <= kShareBoth; ++d) {
      if ((a & ~access) != 0 || (d & ~deny) != 0) open.history &= static_cast<uint16_t>(~combination(a, d));
    }
  }
  open.access = access;
  open.deny = deny;
  open.seqid = next_seqid(open.seqid);
  out = StateKey{instance_, StateKind::open, open.serial}.with_seqid(open.seqid);
  return {};
}

Status StateTable::close(clientid4 client, FileId file, const stateid4& stateid) {
  Entry* found = nullptr;
  if (Status status = find(client, file, stateid, found); !status) return status;
  if (found->kind != StateKind::open) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "18.2.3", "{} is not an open stateid", describe(stateid));
  }
  erase_open(static_cast<OpenEntry*>(found));
  return {};
}

void StateTable::erase_open(OpenEntry* open) {
  while (!open->locks.empty()) erase_lock(open->locks.back());
  const clientid4 client = open->client;
  const FileId file = open->file;
  FileState& state = file_for(file);
  remove_from(state.opens, open);
  OpenOwner* owner = open->owner;
  owner->opens.erase(file);
  if (owner->opens.empty()) {
    ClientState& holder = client_for(client);
    holder.bytes -= owner_bytes(owner->owner);
    holder.open_owners.erase(holder.open_owners.find(owner->owner));
  }
  --counts_.opens;
  const bool last = std::none_of(state.opens.begin(), state.opens.end(),
                                 [&](const OpenEntry* other) { return other->client == client; });
  forget(open);
  tidy_file(file);
  if (last && layouts_ != nullptr && delegation_of(client, file) == nullptr) layouts_->client_closed(client, file);
}

bool StateTable::is_open(FileId file) const {
  const FileState* state = this->file(file);
  return state != nullptr && (!state->opens.empty() || !state->delegations.empty());
}

std::vector<clientid4> StateTable::deny_conflicts(FileId file, uint32_t access) const {
  std::vector<clientid4> result;
  if (const FileState* state = this->file(file)) {
    for (const OpenEntry* open : state->opens) {
      if ((open->deny & access) != 0) result.push_back(open->client);
    }
  }
  return result;
}

}  // namespace pnfs::mds::state
