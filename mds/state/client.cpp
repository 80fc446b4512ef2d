// All state of one client at once, and the small upkeep of the table.
#include <algorithm>

#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {

const FileState* StateTable::file(FileId file) const {
  const auto it = files_.find(file);
  return it == files_.end() ? nullptr : &it->second;
}

FileState* StateTable::find_file(FileId file) {
  const auto it = files_.find(file);
  return it == files_.end() ? nullptr : &it->second;
}

const ClientState* StateTable::client(clientid4 client) const {
  const auto it = clients_.find(client);
  return it == clients_.end() ? nullptr : &it->second;
}

void StateTable::tidy_file(FileId file) {
  const auto it = files_.find(file);
  if (it != files_.end() && it->second.empty()) files_.erase(it);
}

void StateTable::tidy_client(clientid4 client) {
  const auto it = clients_.find(client);
  if (it != clients_.end() && it->second.entries.empty()) clients_.erase(it);
}

// The record itself goes; whoever points at it has been told before.
void StateTable::forget(Entry* entry) {
  const clientid4 client = entry->client;
  ClientState& state = client_for(client);
  state.entries.erase(entry);
  if (entry->revoked) --state.revoked;
  state.bytes -= kEntryBytes;
  entries_.erase(entry->serial);
  tidy_client(client);
}

bool StateTable::has_state(clientid4 client) const {
  const ClientState* state = this->client(client);
  if (state != nullptr && !state->entries.empty()) return true;
  return layouts_ != nullptr && layouts_->has_state(client);
}

bool StateTable::has_revoked(clientid4 client) const {
  const ClientState* state = this->client(client);
  if (state != nullptr && state->revoked != 0) return true;
  return layouts_ != nullptr && layouts_->has_revoked(client);
}

Status StateTable::room_for_one(clientid4 client, std::string_view owner) const {
  const ClientState* known = this->client(client);
  if (known == nullptr) return {};
  if (known->entries.size() >= limits_.stateids_per_client) {
    return nfs::fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "client {:#x} holds {} stateids, as many as are allowed", client,
                     known->entries.size());
  }
  if (known->bytes + kEntryBytes + owner_bytes(owner) > limits_.bytes_per_client) {
    return nfs::fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "the state of client {:#x} takes {} bytes, {} are allowed", client,
                     known->bytes, limits_.bytes_per_client);
  }
  return {};
}

void StateTable::account_ranges(const LockEntry& lock, size_t before) {
  ClientState& client = client_for(lock.client);
  client.bytes += lock.ranges.held().size() * sizeof(HeldRange);
  client.bytes -= before * sizeof(HeldRange);
}

std::vector<FileId> StateTable::drop_client(clientid4 client) {
  std::vector<FileId> closed;
  auto it = clients_.find(client);
  while (it != clients_.end()) {
    Entry* entry = *it->second.entries.begin();
    const FileId file = entry->file;
    switch (entry->kind) {
      case StateKind::open:
        erase_open(static_cast<OpenEntry*>(entry));
        break;
      case StateKind::lock:
        erase_lock(static_cast<LockEntry*>(entry));
        tidy_file(file);
        break;
      case StateKind::delegation:
        erase_delegation(static_cast<DelegationEntry*>(entry));
        break;
      case StateKind::layout:
        break;
    }
    if (!is_open(file)) closed.push_back(file);
    it = clients_.find(client);
  }
  for (auto& [id, file] : files_) {
    std::erase_if(file.waiting, [&](const WaitingLock& w) { return w.client == client; });
  }
  std::erase_if(files_, [](const auto& file) { return file.second.empty(); });
  if (layouts_ != nullptr) layouts_->drop_client(client);
  std::sort(closed.begin(), closed.end());
  closed.erase(std::unique(closed.begin(), closed.end()), closed.end());
  return closed;
}

StateTable::Counts StateTable::counts() const {
  Counts counts = counts_;
  counts.clients = clients_.size();
  return counts;
}

}  // namespace pnfs::mds::state
