// Delegations (RFC 8881 section 10.4): who may hold one, who must wait for its return, what a revoked one answers.
#include <algorithm>

#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {

using nfs::fail;

namespace {
constexpr size_t kMostRecalls = 10'000;
}

stateid4 StateTable::stateid_of(const DelegationEntry& delegation) const {
  return StateKey{instance_, StateKind::delegation, delegation.serial}.with_seqid(delegation.seqid);
}

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

std::optional<TimePoint> StateTable::last_recall(FileId file) const {
  const auto recall = recalls_.find(file);
  return recall == recalls_.end() ? std::nullopt : std::optional(recall->second);
}

stateid4 StateTable::delegate(clientid4 client, FileId file, bool write, uint64_t change, session::RequestName by) {
  auto* delegation = add<DelegationEntry>(StateKind::delegation, client, file, write);
  delegation->change = change;
  delegation->granted_by = by;
  file_for(file).delegations.push_back(delegation);
  ++counts_.delegations;
  return stateid_of(*delegation);
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
    if (recalls_.size() >= kMostRecalls) recalls_.clear();
    recalls_[file] = now;
    result.fresh.push_back({held->client, file, stateid_of(*held), held->write, held->granted_by});
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

bool StateTable::is_out(const stateid4& delegation) const {
  const auto key = StateKey::from(delegation);
  const auto entry = key && key->instance == instance_ ? entries_.find(key->serial) : entries_.end();
  return entry != entries_.end() && entry->second->kind == StateKind::delegation && !entry->second->revoked;
}

std::vector<StateTable::Recall> StateTable::overdue(TimePoint deadline) const {
  std::vector<Recall> result;
  for (const auto& [id, state] : files_) {
    for (const DelegationEntry* held : state.delegations) {
      if (!held->revoked && held->recalled && held->recalled_at <= deadline) {
        result.push_back({held->client, id, stateid_of(*held), held->write, held->granted_by});
      }
    }
  }
  return result;
}

void StateTable::revoke_delegation(const stateid4& stateid) {
  if (!is_out(stateid)) return;
  Entry& held = *entries_.find(StateKey::from(stateid)->serial)->second;
  held.revoked = true;
  ++client_for(held.client).revoked;
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

StateTable::Holder StateTable::holder_told(const stateid4& delegation, const Told& told, uint64_t here) {
  if (!is_out(delegation)) return Holder::gone;
  auto& held = static_cast<DelegationEntry&>(*entries_.find(StateKey::from(delegation)->serial)->second);
  // The holder may answer the same change value for ever once it has modified the file; another size says the same.
  held.modified |= told.change != held.change || told.size != here;
  return held.modified ? Holder::modified : Holder::unmodified;
}

}  // namespace pnfs::mds::state
