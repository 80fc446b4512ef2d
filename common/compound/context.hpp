// What one COMPOUND carries from operation to operation (RFC 8881 16.2.3.1): current and saved filehandle and stateid,
// who asks, through which session, and what the trace shall say. Roles derive their own:
//
//   struct MdsContext : compound::Context { MdsContext(rpc::Request& r, Mds& mds); Mds& mds; };
//
// Lives for one request, in the coroutine that answers it. Everything reached through it that is not owned by it
// (client(), session()) is looked up again at each call: never keep the pointer across a co_await.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/nfs/basic.hpp"
#include "common/rpc/request.hpp"
#include "common/session/session_table.hpp"

namespace pnfs::compound {

class Role;

// A filehandle and the stateid that belongs to it.
struct Handle {
  nfs::nfs_fh4 fh;  // bytes in the request's arena or record
  bool set = false;
  nfs::stateid4 stateid;     // all zeros when no operation gave one
  bool has_stateid = false;  // an operation of this COMPOUND gave it

  std::span<const std::byte> bytes() const { return fh.bytes; }
};

// What an operation did, as far as the trace wants it. The operation fills what it has.
struct TraceFields {
  std::optional<uint64_t> fileid;
  std::string path;  // or the name in a directory
  std::optional<uint64_t> offset;
  std::optional<uint64_t> count;
  std::optional<uint64_t> bytes;  // moved
  std::optional<nfs::stateid4> stateid;
  std::optional<uint32_t> iomode;
  std::string device;               // where on the volume, "offset+length,..."
  std::string note;  // anything else worth a reader's time
};

// What is the same in the trace for all operations of a request. Texts are in its arena.
struct TraceOrigin {
  std::string_view client, address, principal, session;
  bool in_session = false;
  std::chrono::nanoseconds zero{};  // wall time of TimePoint zero
};

class Context {
 public:
  Context(rpc::Request& request, Role& role);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // ---- the request ----
  rpc::Request& request() { return request_; }
  Role& role() { return role_; }
  Arena& arena() { return request_.arena(); }
  const rpc::Credential& credential() const { return request_.credential(); }
  session::Principal principal() const;
  rpc::Connection& connection() { return *request_.connection(); }
  session::ConnectionId connection_id() const;
  // Kept alive until the reply has left: what large opaque results point into (rpc::Request::hold).
  void hold(std::shared_ptr<const void> what) { request_.hold(std::move(what)); }

  uint64_t call = 0;  // number of this request at this node, as in the trace
  std::string_view tag;
  uint32_t minorversion = 1;
  uint32_t op_count = 0;  // in the request
  uint32_t op_index = 0;
  nfs::nfs_opnum4 op = nfs::OP_ILLEGAL;  // the one that runs

  // ---- filehandles and stateids (RFC 8881 16.2.3.1) ----
  Handle current;
  Handle saved;

  // NFS4ERR_NOFILEHANDLE when none is set.
  nfs::Status require_current() const;
  nfs::Status require_saved() const;  // SAVEFH was not done: also NFS4ERR_NOFILEHANDLE
  // Copies the bytes into the arena. The current stateid becomes all zeros, as for every operation that sets a
  // filehandle and returns no stateid.
  void set_current(std::span<const std::byte> fh);
  // For operations that return a stateid: OPEN, LOCK, LAYOUTGET ... After set_current() where they do both.
  void set_current_stateid(const nfs::stateid4& stateid);
  // {1, zeros} in an argument stands for the current stateid; everything else stays as it is. NFS4ERR_BAD_STATEID when
  // there is no current stateid or it is a special one (RFC 8881 8.2.3, 16.2.3.1.2).
  nfs::Status resolve_stateid(const nfs::stateid4& argument, nfs::stateid4& out) const;

  // ---- session (set by SEQUENCE) ----
  bool in_session() const { return in_session_; }
  session::ClientId clientid() const { return client_id_; }   // 0 without a session
  const session::RequestName& name() const { return name_; }  // what a callback that races this reply refers to
  session::Client* client();    // null: it went while we were suspended, or there is no session
  session::Session* session();  // the same
  bool cache_this() const { return cache_this_; }

  // ---- reply size (RFC 8881 2.10.6.4) ----
  // Bytes of result that still fit after the operation's own number and status: what READ, READDIR and the like clip
  // to.
  size_t reply_room() const;
  // The most the whole reply may have, RPC header included.
  size_t reply_limit() const { return reply_limit_; }

  // ---- durability ----
  // The reply depends on metadata that is durable once the role has reached `ticket`: before the reply leaves,
  // Role::before_reply is awaited. The highest ticket counts.
  void wait_durable(uint64_t ticket) {
    if (ticket > durable_ticket_) durable_ticket_ = ticket;
  }
  uint64_t durable_ticket() const { return durable_ticket_; }

  TraceFields trace;  // emptied before each operation
  const TraceOrigin& origin(TimePoint now);  // made when the first operation is traced

  // ---- for the dispatcher and the session operations ----
  struct SessionBinding {
    session::ClientId client = 0;
    session::RequestName name;
    bool cache_this = false;
    size_t max_response_bytes = 0;
    size_t max_cached_bytes = 0;
  };
  void enter_session(const SessionBinding& binding);
  void leave_session() { slot_open_ = false; }  // the session was destroyed by this very request
  bool slot_open() const { return slot_open_; }
  // SEQUENCE found the answer in the reply cache: it is sent instead of what was built so far.
  void replay(std::span<const std::byte> reply);
  const std::shared_ptr<const std::vector<std::byte>>& replayed() const { return replayed_; }
  bool drop_reply = false;       // a fault: everything happens, nothing is sent
  bool replay_uncached = false;  // the operation after SEQUENCE gets NFS4ERR_RETRY_UNCACHED_REP
  // Of the reply so far, RPC header included.
  void set_encoded_bytes(size_t bytes) { encoded_bytes_ = bytes; }
  size_t encoded_bytes() const { return encoded_bytes_; }

 private:
  rpc::Request& request_;
  Role& role_;
  bool in_session_ = false;
  bool slot_open_ = false;
  bool cache_this_ = false;
  session::ClientId client_id_ = 0;
  session::RequestName name_;
  size_t reply_limit_;
  size_t encoded_bytes_ = 0;
  uint64_t durable_ticket_ = 0;
  std::optional<TraceOrigin> origin_;
  std::shared_ptr<const std::vector<std::byte>> replayed_;
};

}  // namespace pnfs::compound
