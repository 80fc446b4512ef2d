// RFC 8881 18.36.4 in its four phases.
#include "common/session/session_table.hpp"

namespace pnfs::session {

using nfs::fail;

namespace {

// RPC headers with an AUTH_SYS credential and a COMPOUND of SEQUENCE alone, without a tag; for the back channel
// CB_SEQUENCE and the smallest CB_RECALL. Below that a channel could carry nothing (18.36.3).
constexpr uint32_t kLeastRequestBytes = 128;
constexpr uint32_t kLeastResponseBytes = 100;
constexpr uint32_t kLeastBackOperations = 2;

}  // namespace

SessionTable::CreateAnswer SessionTable::create_session(CreateRequest request, TimePoint now) {
  Client* record = client(request.client);
  if (record != nullptr && !record->confirmed && !lease_valid(*record, now)) {
    remove_client(record->id, Removed::unconfirmed);  // 18.35.4: unconfirmed records go after a lease
    record = nullptr;
  }
  if (record == nullptr) return {.created = {.status = stale(request.client)}};

  if (request.sequence == record->create_sequence) {
    if (record->created_answer) {
      CreateAnswer again{.created = *record->created_answer, .replayed = true};
      // The connection of the first answer may be gone with it: what csr_flags says of "the connection" has to be true
      // of this one, or callbacks would have no way.
      if (Session* made = session(again.created.session); made != nullptr && request.connection != 0) {
        const bool back = (again.created.flags & nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0;
        again.bound_now = bind_connection(*made, request.connection, back ? Direction::both : Direction::fore);
      }
      return again;
    }
    return {.created = {.status = fail(nfs::NFS4ERR_SEQ_MISORDERED, "18.36.4",
                                       "csa_sequence {} before the first CREATE_SESSION, which must have {}",
                                       request.sequence, record->create_sequence + 1)}};
  }
  if (request.sequence != record->create_sequence + 1) {
    return {.created = {.status = fail(nfs::NFS4ERR_SEQ_MISORDERED, "18.36.4", "csa_sequence {}, next is {}",
                                       request.sequence, record->create_sequence + 1)}};
  }
  // The slot's sequence moves only with a session that was made: a refused request had no effect, so its retry is
  // refused for the same reason, and the client may correct its arguments under the same csa_sequence.
  if (nfs::Status status = check_create(request, *record); !status) return {.created = {.status = std::move(status)}};

  const bool confirm_now = !record->confirmed;
  if (confirm_now) confirm(*record);
  renew(*record, now);
  record->create_sequence = request.sequence;
  const bool known = connections_.contains(request.connection);
  Session& session = add_session(request, *record);
  Client::Created created{.session = session.id(), .fore = session.fore(), .back = session.back()};
  if (session.wants_back()) created.flags |= nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
  record->created_answer = created;
  return {.created = created, .confirmed_now = confirm_now, .bound_now = !known && request.connection != 0};
}

nfs::Status SessionTable::check_create(const CreateRequest& request, const Client& client) const {
  // A confirmed id may get sessions from any principal: state protection is SP4_NONE (phase 3 is skipped).
  if (!client.confirmed && client.principal != request.principal) {
    return fail(nfs::NFS4ERR_CLID_INUSE, "18.36.4", "EXCHANGE_ID came from {}, CREATE_SESSION from {}",
                to_string(client.principal), to_string(request.principal));
  }
  if (request.fore.max_request_bytes < kLeastRequestBytes || request.fore.max_response_bytes < kLeastResponseBytes) {
    return fail(nfs::NFS4ERR_TOOSMALL, "18.36.3", "fore channel requests of {} and responses of {} bytes hold nothing",
                request.fore.max_request_bytes, request.fore.max_response_bytes);
  }
  if ((request.flags & nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0 || request.back.max_requests != 0) {
    if (request.back.max_request_bytes < kLeastRequestBytes || request.back.max_response_bytes < kLeastResponseBytes ||
        request.back.max_operations < kLeastBackOperations) {
      return fail(nfs::NFS4ERR_TOOSMALL, "18.36.3",
                  "back channel requests of {} bytes and {} operations, responses of {} bytes hold no callback",
                  request.back.max_request_bytes, request.back.max_operations, request.back.max_response_bytes);
    }
  }
  if (request.unusable_security) {
    return fail(nfs::NFS4ERR_NOENT, "18.36.3",
                "csa_sec_parms has only RPCSEC_GSS handles, which this server never made");
  }
  if (client.sessions.size() >= config_.limits.max_sessions_per_client) {
    return fail(nfs::NFS4ERR_NOSPC, "18.36.4", "the client has {} sessions already", client.sessions.size());
  }
  if (sessions_.size() >= config_.limits.max_sessions) {
    return fail(nfs::NFS4ERR_NOSPC, "18.36.4", "all {} sessions are in use", sessions_.size());
  }
  if (reply_cache_full()) {
    return fail(nfs::NFS4ERR_NOSPC, "18.36.4", "the replies that are kept take {} bytes, {} are allowed", cached_bytes_,
                config_.limits.max_reply_cache_bytes);
  }
  if (grant_fore(request.fore, client).max_requests == 0) {
    return fail(nfs::NFS4ERR_NOSPC, "18.36.4",
                "the client's sessions may keep {} bytes, and {} are allowed: no room for "
                "a slot of {}",
                client.promised_bytes, config_.limits.max_client_bytes, slot_bytes(request.fore));
  }
  return {};
}

// max_requests 0 in the result: not even one slot's replies could be kept.
ChannelAttrs SessionTable::grant_fore(const ChannelAttrs& asked, const Client& client) const {
  const Limits& limits = config_.limits;
  ChannelAttrs fore;
  fore.max_request_bytes = std::min(asked.max_request_bytes, limits.max_request_bytes);
  fore.max_response_bytes = std::min(asked.max_response_bytes, limits.max_response_bytes);
  fore.max_cached_bytes = cached_limit(asked);
  fore.max_operations = std::clamp(asked.max_operations, 1u, limits.max_operations);
  fore.max_requests = std::clamp(asked.max_requests, 1u, limits.max_slots);
  if (crowded_) fore.max_requests = std::min(fore.max_requests, kSlotsWhenCrowded);
  const uint64_t left = limits.max_client_bytes - std::min(client.promised_bytes, limits.max_client_bytes);
  fore.max_requests = static_cast<uint32_t>(std::min<uint64_t>(fore.max_requests, left / slot_bytes(fore)));
  return fore;
}

uint32_t SessionTable::cached_limit(const ChannelAttrs& asked) const {
  return std::min({asked.max_cached_bytes, config_.limits.max_cached_bytes, asked.max_response_bytes});
}

// What a slot costs at most: its record and the reply it keeps.
uint64_t SessionTable::slot_bytes(const ChannelAttrs& fore) const {
  return sizeof(Slot) + cached_limit(fore);
}

Session& SessionTable::add_session(CreateRequest& request, Client& client) {
  SessionId id;
  const uint64_t words[2] = {client.id, ++next_session_};
  std::memcpy(id.bytes.data(), words, sizeof words);
  const ChannelAttrs fore = grant_fore(request.fore, client);
  ChannelAttrs back = request.back;
  back.header_pad_bytes = 0;
  auto made = std::make_unique<Session>(id, client.id, fore, back, request.back_program, std::move(request.security));
  Session& session = *made;
  sessions_.emplace(id, std::move(made));
  client.sessions.push_back(id);
  client.promised_bytes += fore.max_requests * slot_bytes(fore);
  const bool back_channel =
      (request.flags & nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0 && session.back().max_requests > 0;
  if (request.connection != 0) {
    bind_connection(session, request.connection, back_channel ? Direction::both : Direction::fore);
  }
  return session;
}

void SessionTable::confirm(Client& client) {
  Names& names = owners_[client.owner];
  const ClientId old = names.confirmed;
  names.confirmed = client.id;
  names.unconfirmed = 0;
  client.confirmed = true;
  // 18.35.4 case 5: the client has restarted, what it held before is released at once.
  if (old != 0) remove_client(old, Removed::replaced);
}

}  // namespace pnfs::session
