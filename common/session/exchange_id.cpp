// The nine cases of RFC 8881 18.35.4.
#include "common/session/session_table.hpp"

namespace pnfs::session {

using nfs::fail;

SessionTable::ExchangeAnswer SessionTable::exchange_id(const ExchangeRequest& request, TimePoint now) {
  const auto found = owners_.find(std::string(request.owner));
  const Names names = found == owners_.end() ? Names{} : found->second;
  if (request.update) return update(request, names, now);

  Client* confirmed = client(names.confirmed);
  if (confirmed != nullptr) {
    if (confirmed->principal != request.principal) {  // case 3: client collision
      const bool live =
          lease_valid(*confirmed, now) && (!confirmed->sessions.empty() || owner_.has_state(confirmed->id));
      if (live) {
        return {.status =
                    fail(nfs::NFS4ERR_CLID_INUSE, "18.35.4",
                         "the owner string belongs to a client of principal {} with state, the request came as {}",
                         to_string(confirmed->principal), to_string(request.principal))};
      }
      remove_client(confirmed->id, Removed::collision);
    } else if (confirmed->verifier == request.verifier) {  // case 2: a retry, or a trunking probe
      // An unconfirmed record beside it came from an incarnation that is no longer asking.
      if (names.unconfirmed != 0) remove_client(names.unconfirmed, Removed::unconfirmed);
      return {.client = confirmed->id,
              .sequence = confirmed->create_sequence + 1,
              .confirmed = true,
              .flags = confirmed->flags};
    }
    // case 5, client restart: the old record lives on until the new one is confirmed
  }
  if (names.unconfirmed != 0) remove_client(names.unconfirmed, Removed::unconfirmed);  // case 4
  if (clients_.size() >= config_.limits.max_clients) {
    return {.status = fail(nfs::NFS4ERR_DELAY, "18.35", "all {} client records are in use", clients_.size())};
  }
  const Client& added = add_client(request, now);  // cases 1, 3, 4, 5
  return {.client = added.id, .sequence = added.create_sequence + 1, .flags = added.flags};
}

SessionTable::ExchangeAnswer SessionTable::update(const ExchangeRequest& request, Names names, TimePoint now) {
  Client* confirmed = client(names.confirmed);
  if (confirmed == nullptr) {  // case 7
    return {.status = fail(nfs::NFS4ERR_NOENT, "18.35.4", "an update, but no confirmed record has this owner string")};
  }
  if (confirmed->verifier != request.verifier) {  // case 8
    return {.status = fail(nfs::NFS4ERR_NOT_SAME, "18.35.4", "an update with the verifier of another incarnation")};
  }
  if (confirmed->principal != request.principal) {  // case 9
    return {.status = fail(nfs::NFS4ERR_PERM, "18.35.4", "an update by {} of a record that belongs to {}",
                           to_string(request.principal), to_string(confirmed->principal))};
  }
  confirmed->flags = request.flags;  // case 6
  confirmed->implementation = request.implementation;
  renew(*confirmed, now);
  return {.client = confirmed->id,
          .sequence = confirmed->create_sequence + 1,
          .confirmed = true,
          .flags = confirmed->flags};
}

Client& SessionTable::add_client(const ExchangeRequest& request, TimePoint now) {
  auto record = std::make_unique<Client>();
  Client& client = *record;
  client.id = next_client_id();
  client.owner = std::string(request.owner);
  client.verifier = request.verifier;
  client.principal = request.principal;
  client.flags = request.flags;
  client.implementation = request.implementation;
  client.created = client.renewed = now;
  clients_.emplace(client.id, std::move(record));
  owners_[client.owner].unconfirmed = client.id;
  return client;
}

// Boot instance, node, count: no two nodes give out the same id, nor does one node before and after a restart (RFC 8881
// 2.4.1; a client that finds a data server's id equal to the metadata server's may take the two for one).
ClientId SessionTable::next_client_id() {
  const uint64_t high = (uint64_t{config_.boot_instance} & 0xffffff) << 40 | (uint64_t{config_.node} & 0xff) << 32;
  do {
    ++next_client_;
  } while (next_client_ == 0 || clients_.contains(high | next_client_));
  return high | next_client_;
}

nfs::Status SessionTable::stale(ClientId id) const {
  const uint32_t boot = static_cast<uint32_t>(id >> 40);
  const uint32_t node = static_cast<uint32_t>(id >> 32) & 0xff;
  if (node != (config_.node & 0xff)) {
    return fail(nfs::NFS4ERR_STALE_CLIENTID, "18.36.4", "client id {:#x} is not one of this node ({})", id,
                config_.node);
  }
  if (boot != (config_.boot_instance & 0xffffff)) {
    return fail(nfs::NFS4ERR_STALE_CLIENTID, "8.4.2.1", "client id {:#x} is from start {} of the server, this is {}",
                id, boot, config_.boot_instance & 0xffffff);
  }
  return fail(nfs::NFS4ERR_STALE_CLIENTID, "18.36.4", "no client record has the id {:#x} (destroyed or expired)", id);
}

}  // namespace pnfs::session
