// All clients and sessions of one server, and the decisions of EXCHANGE_ID, CREATE_SESSION, BIND_CONN_TO_SESSION,
// SEQUENCE, DESTROY_SESSION, DESTROY_CLIENTID and RECLAIM_COMPLETE. Time comes in as an argument, nothing goes out but
// results and calls to the Owner; so every case runs in a test without a network.
//
// Pointers returned are valid until the next call that may remove (and never across a co_await): keep ids.
#pragma once

#include <memory>
#include <unordered_map>

#include "common/session/client.hpp"
#include "common/session/session.hpp"

namespace pnfs::session {

// What the server behind the table knows and must hear. Calls come from inside table calls: do not call back into it.
class Owner {
 public:
  virtual ~Owner() = default;
  // Opens, locks, delegations or layouts exist (RFC 8881 18.50.3, 18.35.4 case 3).
  virtual bool has_state(ClientId) const { return false; }
  // The record is gone, its sessions too; the state that hung on it should go now.
  virtual void client_removed(ClientId, Removed) {}
  virtual void session_removed(const Session&) {}
};

class SessionTable {
 public:
  // `owner` must outlive the table.
  SessionTable(const Config& config, Owner& owner);
  ~SessionTable();

  const Config& config() const { return config_; }
  void set_lease(Duration lease) { config_.lease = lease; }

  // ---- EXCHANGE_ID (18.35) ----
  struct ExchangeRequest {
    std::string_view owner;
    Verifier verifier;
    Principal principal;
    uint32_t flags = 0;   // eia_flags, already checked for unknown bits
    bool update = false;  // EXCHGID4_FLAG_UPD_CONFIRMED_REC_A
    Implementation implementation;
  };
  struct ExchangeAnswer {
    nfs::Status status;
    ClientId client = 0;
    uint32_t sequence = 0;  // eir_sequenceid: the csa_sequence to come next
    bool confirmed = false;
    uint32_t flags = 0;  // the client's flags in force
  };
  ExchangeAnswer exchange_id(const ExchangeRequest& request, TimePoint now);

  // ---- CREATE_SESSION (18.36) ----
  struct CreateRequest {
    ClientId client = 0;
    uint32_t sequence = 0;
    uint32_t flags = 0;
    Principal principal;
    ChannelAttrs fore;
    ChannelAttrs back;
    uint32_t back_program = 0;
    std::vector<CallbackSecurity> security;
    bool unusable_security = false;  // only flavours that we cannot use were offered
    ConnectionId connection = 0;
  };
  struct CreateAnswer {
    Client::Created created;
    bool replayed = false;
    bool confirmed_now = false;  // this was the client's first session: record it before the reply leaves
    bool bound_now = false;
  };
  CreateAnswer create_session(CreateRequest request, TimePoint now);

  // ---- SEQUENCE (18.46) ----
  struct SequenceAnswer {
    SlotTable::Verdict verdict = SlotTable::Verdict::refuse;
    nfs::Status status;
    Session* session = nullptr;
    Client* client = nullptr;
    bool bound_now = false;  // the connection is new to the table: call connection_closed() when it ends
  };
  // What is checked against the session's limits before anything else.
  struct Sizes {
    size_t request_bytes = 0;
    size_t reply_bytes = 0;  // of an answer with SEQUENCE's result alone
    uint32_t operations = 1;
  };
  SequenceAnswer sequence(const SessionId& id, const SequenceRequest& request, ConnectionId connection,
                          const Sizes& sizes, TimePoint now);
  // sr_status_flags, but for what only the role knows.
  uint32_t status_flags(const Session& session, const Client& client) const;
  // The end of a request that sequence() told to execute. The session may be gone by now.
  void finish(const SessionId& id, uint32_t slot, uint32_t sequence, std::span<const std::byte> reply, bool cached,
              TimePoint now);
  // The same request never came (a fault): its slot goes back to where it was.
  void abandon(const SessionId& id, uint32_t slot, uint32_t sequence);

  // ---- BIND_CONN_TO_SESSION (18.34) ----
  struct BindAnswer {
    nfs::Status status;
    Direction direction = Direction::fore;
    bool bound_now = false;
  };
  BindAnswer bind(const SessionId& id, ConnectionId connection, uint32_t wanted, TimePoint now);
  // To be called for every connection that was bound_now, once it is closed.
  void connection_closed(ConnectionId connection);

  // ---- DESTROY_SESSION (18.37), DESTROY_CLIENTID (18.50), RECLAIM_COMPLETE (18.51) ----
  nfs::Status destroy_session(const SessionId& id, ConnectionId connection);
  nfs::Status destroy_client(ClientId id, TimePoint now);
  // The caller sets Client::reclaim_complete once its own part is done.
  nfs::Status may_reclaim_complete(ClientId id) const;

  // ---- leases ----
  void renew(Client& client, TimePoint now);
  bool lease_valid(const Client& client, TimePoint now) const { return now < client.renewed + config_.lease; }
  // Confirmed clients whose lease ran out since the last call, each reported once; unconfirmed records older than a
  // lease, and expired clients without state, are removed here. What becomes of the rest is the role's choice
  // (a courteous server keeps their state until someone conflicts).
  std::vector<ClientId> sweep(TimePoint now);
  void remove_client(ClientId id, Removed why);
  // When the reply caches come near their limit, every session is asked to do with kSlotsWhenCrowded slots, and gets its
  // own back once half of the limit is free. Gives the sessions whose target changed: their next SEQUENCE says so, and
  // CB_RECALL_SLOT tells those that are idle.
  static constexpr uint32_t kSlotsWhenCrowded = 8;
  std::vector<SessionId> balance_slots();

  // ---- look-up ----
  Client* client(ClientId id);
  const Client* client(ClientId id) const;
  Client* confirmed_client(ClientId id);
  Session* session(const SessionId& id);
  size_t client_count() const { return clients_.size(); }
  size_t session_count() const { return sessions_.size(); }
  // NFS4ERR_STALE_CLIENTID with the reason why: another node's, an earlier start's, or simply gone.
  nfs::Status stale(ClientId id) const;
  // A session of the client whose back channel works; null: none.
  Session* back_session(ClientId id);

  template <class F>
  void each_client(F&& f) const {
    for (const auto& [id, client] : clients_) f(*client);
  }

 private:
  struct Names {  // records of one owner string: at most one confirmed and one unconfirmed
    ClientId confirmed = 0;
    ClientId unconfirmed = 0;
  };
  Client& add_client(const ExchangeRequest& request, TimePoint now);
  ClientId next_client_id();
  ExchangeAnswer update(const ExchangeRequest& request, Names names, TimePoint now);
  nfs::Status check_create(const CreateRequest& request, const Client& client) const;
  ChannelAttrs grant_fore(const ChannelAttrs& asked, const Client& client) const;
  uint32_t cached_limit(const ChannelAttrs& asked) const;
  bool reply_cache_full() const { return cached_bytes_ >= config_.limits.max_reply_cache_bytes; }
  uint64_t slot_bytes(const ChannelAttrs& fore) const;
  Session& add_session(CreateRequest& request, Client& client);
  bool bind_connection(Session& session, ConnectionId connection, Direction direction);
  void remove_session(const SessionId& id);
  void confirm(Client& client);

  Config config_;
  Owner& owner_;
  std::unordered_map<ClientId, std::unique_ptr<Client>> clients_;
  std::unordered_map<std::string, Names> owners_;
  std::unordered_map<SessionId, std::unique_ptr<Session>, SessionIdHash> sessions_;
  std::unordered_map<ConnectionId, std::vector<SessionId>> connections_;
  uint32_t next_client_ = 0;
  uint32_t next_session_ = 0;
  uint64_t cached_bytes_ = 0;  // what the replies that all sessions keep take
  bool crowded_ = false;       // sessions are asked to do with fewer slots
};

}  // namespace pnfs::session
