// Delegations (RFC 8881 section 10.4): who may hold one, who must wait for its return, what a revoked one answers.
#include <algorithm>

#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {

using nfs::fail;

namespace {
stateid4 stateid_of(uint32_t instance, const DelegationEntry& delegation) {
  return StateKey{instance, StateKind::delegation, delegation.serial}.with_seqid(delegation.seqid);
}
}  // namespace

bool StateTable::may_delegate(clientid4 client, FileId file, bool write) const {
  const FileState* state = this->file(file);
  if (state == nullptr) return true;
  for (const DelegationEntry* held : state->delegations) {
    if (held->revoked) continue;
    if (held->client == client || held->write || write) return false;
  }
  for (const OpenEntry* open : state->opens) {
    if (open->client == client) continue;
    if (write || (open->access & kShareWrite) != 0 || (open->deny & kShareRead) != 0) return false;
  }
  return true;
}

stateid4 StateTable::delegate(clientid4 client, FileId file, bool write) {
  auto* delegation = add<DelegationEntry>(StateKind::delegation, client, file, write);
  file_for(file).delegations.push_back(delegation);
  ++counts_.delegations;
  return stateid_of(instance_, *delegation);
}

StateTable::Conflicts StateTable::recall_conflicts(clientid4 client, FileId file, bool modifies, TimePoint now) {
  Conflicts result;
  FileState* state = find_file(file);
  if (state == nullptr) return result;
  for (DelegationEntry* held : state->delegations) {
    if (held->revoked || held->client == client || (!held->write && !modifies)) continue;
    ++result.pending;
    result.clients.push_back(held->client);
    if (held->recalled) continue;
    held->recalled = true;
    held->recalled_at = now;
    result.fresh.push_back({held->client, file, stateid_of(instance_, *held), held->write});
  }
  return result;
}

Status StateTable::return_delegation(clientid4 client, FileId file, const stateid4& stateid) {
  Entry* found = nullptr;
  if (Status status = find(client, file, stateid, found); !status) return status;
  if (found->kind != StateKind::delegation) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "18.6.3", "{} is not a delegation", describe(stateid));
  }
  erase_delegation(static_cast<DelegationEntry*>(found));
  return {};
}

std::vector<StateTable::Recall> StateTable::overdue(TimePoint deadline) const {
  std::vector<Recall> result;
  for (const auto& [id, state] : files_) {
    for (const DelegationEntry* held : state.delegations) {
      if (!held->revoked && held->recalled && held->recalled_at <= deadline) {
        result.push_back({held->client, id, stateid_of(instance_, *held), held->write});
      }
    }
  }
  return result;
}

void StateTable::revoke_delegation(const stateid4& stateid) {
  const auto key = StateKey::from(stateid);
  if (!key || key->instance != instance_) return;
  auto entry = entries_.find(key->serial);
  if (entry == entries_.end() || entry->second->kind != StateKind::delegation || entry->second->revoked) return;
  entry->second->revoked = true;
  ++client_for(entry->second->client).revoked;
}

void StateTable::erase_delegation(DelegationEntry* delegation) {
  const clientid4 client = delegation->client;
  const FileId file = delegation->file;
  FileState& state = file_for(file);
  state.delegations.erase(std::find(state.delegations.begin(), state.delegations.end(), delegation));
  --counts_.delegations;
  const bool last = std::none_of(state.opens.begin(), state.opens.end(),
                                 [&](const OpenEntry* open) { return open->client == client; });
  forget(delegation);
  tidy_file(file);
  if (last && layouts_ != nullptr) layouts_->client_closed(client, file);
}

const DelegationEntry* StateTable::delegation_of(clientid4 client, FileId file) const {
  if (const FileState* state = this->file(file)) {
    for (const DelegationEntry* held : state->delegations) {
      if (held->client == client && !held->revoked) return held;
    }
  }
  return nullptr;
}

const DelegationEntry* StateTable::write_delegation(FileId file) const {
  if (const FileState* state = this->file(file)) {
    for (const DelegationEntry* held : state->delegations) {
      if (held->write && !held->revoked) return held;
    }
  }
  return nullptr;
}

}  // namespace pnfs::mds::state
