#include "common/session/session_table.hpp"

#include <algorithm>

namespace pnfs::session {

using nfs::fail;

namespace {

nfs::Status no_session(const SessionId& id) {
  return fail(nfs::NFS4ERR_BADSESSION, "15.1.11.1", "no session has the id {}", to_string(id));
}

nfs::Status check_sizes(const ChannelAttrs& fore, const SessionTable::Sizes& sizes, bool cache_this) {
  if (sizes.request_bytes > fore.max_request_bytes) {
    return fail(nfs::NFS4ERR_REQ_TOO_BIG, "2.10.6.4", "a request of {} bytes, ca_maxrequestsize is {}",
                sizes.request_bytes, fore.max_request_bytes);
  }
  if (sizes.operations > fore.max_operations) {
    return fail(nfs::NFS4ERR_TOO_MANY_OPS, "18.36.3", "{} operations, ca_maxoperations is {}", sizes.operations,
                fore.max_operations);
  }
  if (sizes.reply_bytes > fore.max_response_bytes) {
    return fail(nfs::NFS4ERR_REP_TOO_BIG, "2.10.6.4",
                "SEQUENCE alone is answered with {} bytes, ca_maxresponsesize is {}", sizes.reply_bytes,
                fore.max_response_bytes);
  }
  if (cache_this && sizes.reply_bytes > fore.max_cached_bytes) {
    return fail(nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE, "2.10.6.4",
                "sa_cachethis, but SEQUENCE alone is answered with {} bytes and ca_maxresponsesize_cached is {}",
                sizes.reply_bytes, fore.max_cached_bytes);
  }
  return {};
}

}  // namespace

SessionTable::SessionTable(const Config& config, Owner& owner) : config_(config), owner_(owner) {}
SessionTable::~SessionTable() = default;

SessionTable::SequenceAnswer SessionTable::sequence(const SessionId& id, const SequenceRequest& request,
                                                    ConnectionId connection, const Sizes& sizes, TimePoint now) {
  Session* found = session(id);
  if (found == nullptr) return {.status = no_session(id)};
  if (nfs::Status status = check_sizes(found->fore(), sizes, request.cache_this); !status) {
    return {.status = std::move(status)};
  }
  const bool known = found->binding(connection).has_value();
  if (!known && found->connection_count() >= config_.limits.max_connections_per_session) {
    return {.status = fail(nfs::NFS4ERR_CONN_NOT_BOUND_TO_SESSION, "18.46.3",
                           "the session has {} connections, and this is not one of them", found->connection_count())};
  }
  if (request.cache_this && reply_cache_full() && !found->slots().is_retry(request)) {
    return {.status = fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "the replies that are kept take {} bytes, {} are allowed",
                           cached_bytes_, config_.limits.max_reply_cache_bytes)};
  }
  const size_t before = found->slots().cached_bytes();
  SlotTable::Answer slot = found->slots().begin(request);
  cached_bytes_ += found->slots().cached_bytes() - before;
  SequenceAnswer answer{.verdict = slot.verdict, .status = std::move(slot.status)};
  if (slot.verdict == SlotTable::Verdict::refuse) return answer;
  answer.session = found;
  answer.client = client(found->client());
  renew(*answer.client, now);
  // SP4_NONE: sending SEQUENCE is enough to associate the connection (18.34.3).
  if (!known) answer.bound_now = bind_connection(*found, connection, Direction::fore);
  return answer;
}

uint32_t SessionTable::status_flags(const Session& session, const Client& client) const {
  uint32_t flags = 0;
  if (session.wants_back() && session.back_path_down()) flags |= nfs::SEQ4_STATUS_CB_PATH_DOWN_SESSION;
  if (session.back_fault()) flags |= nfs::SEQ4_STATUS_BACKCHANNEL_FAULT;
  if (client.callback_path_seen) {
    const bool up = std::any_of(client.sessions.begin(), client.sessions.end(), [&](const SessionId& id) {
      const auto found = sessions_.find(id);
      return found != sessions_.end() && !found->second->back_path_down();
    });
    if (!up) flags |= nfs::SEQ4_STATUS_CB_PATH_DOWN;
  }
  return flags;
}

void SessionTable::finish(const SessionId& id, uint32_t slot, uint32_t sequence, std::span<const std::byte> reply,
                          bool cached, TimePoint now) {
  Session* found = session(id);
  if (found == nullptr || slot >= found->slots().size() || found->slots().slot(slot).sequence != sequence) return;
  const size_t before = found->slots().cached_bytes();
  found->slots().finish(slot, reply, cached);
  cached_bytes_ += found->slots().cached_bytes() - before;
  if (Client* c = client(found->client())) renew(*c, now);
}

void SessionTable::abandon(const SessionId& id, uint32_t slot, uint32_t sequence) {
  Session* found = session(id);
  if (found == nullptr || slot >= found->slots().size() || found->slots().slot(slot).sequence != sequence) return;
  found->slots().abandon(slot);
}

SessionTable::BindAnswer SessionTable::bind(const SessionId& id, ConnectionId connection, uint32_t wanted,
                                            TimePoint now) {
  Session* found = session(id);
  if (found == nullptr) return {.status = no_session(id)};
  const bool back_possible = found->back().max_requests > 0;
  Direction direction;
  switch (wanted) {
    case nfs::CDFC4_FORE:
      direction = Direction::fore;
      break;
    case nfs::CDFC4_BACK:
      direction = Direction::back;
      break;
    case nfs::CDFC4_FORE_OR_BOTH:
      direction = back_possible ? Direction::both : Direction::fore;
      break;
    case nfs::CDFC4_BACK_OR_BOTH:
      direction = Direction::both;
      break;
    default:
      return {.status = fail(nfs::NFS4ERR_INVAL, "18.34.3", "bctsa_dir {} is no direction", wanted)};
  }
  if ((wanted & nfs::CDFC4_BACK) != 0 && wanted != nfs::CDFC4_FORE_OR_BOTH && !back_possible) {
    return {.status = fail(nfs::NFS4ERR_INVAL, "18.34.3", "the session was created without back channel slots")};
  }
  const auto bound = found->binding(connection);
  if (!bound && found->connection_count() >= config_.limits.max_connections_per_session) {
    return {.status =
                fail(nfs::NFS4ERR_DELAY, "18.34", "the session has {} connections already", found->connection_count())};
  }
  // Already bound: an exact repetition and the open-ended forms are fine (and may add the other channel); a demand to
  // change is not.
  if (bound && *bound != direction) {
    const bool open_ended = (wanted == nfs::CDFC4_FORE_OR_BOTH && *bound != Direction::back) ||
                            (wanted == nfs::CDFC4_BACK_OR_BOTH && *bound != Direction::fore);
    if (!open_ended) {
      return {.status = fail(nfs::NFS4ERR_INVAL, "18.34.3",
                             "the connection is bound to other channels of the session already")};
    }
  }
  BindAnswer answer{.direction = direction};
  answer.bound_now = bind_connection(*found, connection, direction);
  answer.direction = *found->binding(connection);
  if (Client* c = client(found->client())) renew(*c, now);
  return answer;
}

bool SessionTable::bind_connection(Session& session, ConnectionId connection, Direction direction) {
  const bool known = session.binding(connection).has_value();
  session.bind(connection, direction);
  if (direction != Direction::fore) {
    if (Client* c = client(session.client())) c->callback_path_seen = true;
  }
  if (known) return false;
  const auto [at, first] = connections_.try_emplace(connection);
  at->second.push_back(session.id());
  return first;
}

void SessionTable::connection_closed(ConnectionId connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  for (const SessionId& id : found->second) {
    if (Session* s = session(id)) s->unbind(connection);
  }
  connections_.erase(found);
}

nfs::Status SessionTable::destroy_session(const SessionId& id, ConnectionId connection) {
  Session* found = session(id);
  if (found == nullptr) return no_session(id);
  if (!found->binding(connection)) {
    return fail(nfs::NFS4ERR_CONN_NOT_BOUND_TO_SESSION, "18.37.3",
                "the request came on a connection that is not bound to the session");
  }
  remove_session(id);
  return {};
}

nfs::Status SessionTable::destroy_client(ClientId id, TimePoint now) {
  const Client* found = client(id);
  if (found == nullptr) return stale(id);
  if (!found->sessions.empty()) {
    return fail(nfs::NFS4ERR_CLIENTID_BUSY, "18.50.3", "the client has {} sessions", found->sessions.size());
  }
  if (lease_valid(*found, now) && owner_.has_state(id)) {
    return fail(nfs::NFS4ERR_CLIENTID_BUSY, "18.50.3", "the client has opens, locks, delegations or layouts");
  }
  remove_client(id, Removed::destroyed);
  return {};
}

nfs::Status SessionTable::may_reclaim_complete(ClientId id) const {
  const Client* found = client(id);
  if (found == nullptr) return fail(nfs::NFS4ERR_SERVERFAULT, "18.51", "the client went while its request ran");
  if (found->reclaim_complete) {
    return fail(nfs::NFS4ERR_COMPLETE_ALREADY, "18.51.4", "RECLAIM_COMPLETE was done before by this client id");
  }
  return {};
}

void SessionTable::renew(Client& client, TimePoint now) {
  client.renewed = std::max(client.renewed, now);
  client.lease_expired = false;
}

std::vector<SessionId> SessionTable::balance_slots() {
  const uint64_t limit = config_.limits.max_reply_cache_bytes;
  const bool crowded = crowded_ ? cached_bytes_ > limit / 2 : cached_bytes_ > limit / 4 * 3;
  std::vector<SessionId> changed;
  if (crowded == crowded_) return changed;
  crowded_ = crowded;
  for (auto& [id, session] : sessions_) {
    if (session->slots().size() <= kSlotsWhenCrowded) continue;
    session->slots().set_target(crowded ? kSlotsWhenCrowded - 1 : session->slots().size() - 1);
    changed.push_back(id);
  }
  std::sort(changed.begin(), changed.end());
  return changed;
}

std::vector<ClientId> SessionTable::sweep(TimePoint now) {
  std::vector<ClientId> old, expired;
  for (auto& [id, client] : clients_) {
    if (lease_valid(*client, now)) continue;
    if (!client->confirmed || !owner_.has_state(id)) {
      old.push_back(id);
    } else if (!client->lease_expired) {
      client->lease_expired = true;
      expired.push_back(id);
    }
  }
  for (ClientId id : old) remove_client(id, client(id)->confirmed ? Removed::expired : Removed::unconfirmed);
  std::sort(expired.begin(), expired.end());
  return expired;
}

void SessionTable::remove_client(ClientId id, Removed why) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const std::unique_ptr<Client> client = std::move(found->second);
  clients_.erase(found);
  for (const SessionId& session : client->sessions) remove_session(session);
  const auto names = owners_.find(client->owner);
  if (names->second.confirmed == id) names->second.confirmed = 0;
  if (names->second.unconfirmed == id) names->second.unconfirmed = 0;
  if (names->second.confirmed == 0 && names->second.unconfirmed == 0) owners_.erase(names);
  owner_.client_removed(id, why);
}

void SessionTable::remove_session(const SessionId& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const std::unique_ptr<Session> session = std::move(found->second);
  sessions_.erase(found);
  cached_bytes_ -= session->slots().cached_bytes();
  for (const auto& [connection, direction] : session->connections()) {
    const auto bound = connections_.find(connection);
    if (bound == connections_.end()) continue;
    std::erase(bound->second, id);
  }
  if (Client* c = client(session->client())) {
    std::erase(c->sessions, id);
    c->promised_bytes -= session->fore().max_requests * slot_bytes(session->fore());
  }
  owner_.session_removed(*session);
}

Client* SessionTable::client(ClientId id) {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

const Client* SessionTable::client(ClientId id) const {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

Client* SessionTable::confirmed_client(ClientId id) {
  Client* found = client(id);
  return found != nullptr && found->confirmed ? found : nullptr;
}

Session* SessionTable::session(const SessionId& id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

Session* SessionTable::back_session(ClientId id) {
  const Client* found = client(id);
  if (found == nullptr) return nullptr;
  // The session made last: a client that made a new one has mostly given up the old.
  for (auto it = found->sessions.rbegin(); it != found->sessions.rend(); ++it) {
    Session* s = session(*it);
    if (s != nullptr && !s->back_path_down() && !s->back_fault()) return s;
  }
  return nullptr;
}

}  // namespace pnfs::session
