// Sends CB_COMPOUNDs to clients over the back channels of their sessions (RFC 8881 2.10.3.1, 20): slots, referring
// calls, time-outs, another connection when one fails, and the flags by which a client learns that its back channel is
// down.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "common/fault/injector.hpp"
#include "common/io/event.hpp"
#include "common/io/timer_queue.hpp"
#include "common/nfs/callback.hpp"
#include "common/rpc/connection.hpp"
#include "common/session/session_table.hpp"
#include "common/trace/event.hpp"

namespace pnfs::compound {

// The operations after CB_SEQUENCE. Arguments are encoded at once, so they need not outlive add().
class CallbackOps {
 public:
  template <class Args>
  void add(nfs::nfs_cb_opnum4 op, const Args& args) {
    Arena arena;
    xdr::Encoder encoder(arena);
    encoder.u32(op);
    xdr::encode(encoder, args);
    for (const auto piece : encoder.pieces()) bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    ops_.push_back(op);
  }
  uint32_t count() const { return static_cast<uint32_t>(ops_.size()); }
  std::span<const std::byte> encoded() const { return bytes_; }
  const std::vector<nfs::nfs_cb_opnum4>& ops() const { return ops_; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<nfs::nfs_cb_opnum4> ops_;
};

// The client's answer. `status` is that of the last operation it ran.
class CallbackReply {
 public:
  nfs::nfsstat4 status = nfs::NFS4_OK;
  uint32_t results = 0;  // without CB_SEQUENCE
  // Reads the next operation's result; false when there is none or it is malformed.
  template <class Res>
  bool next(Res& result) {
    uint32_t op = 0;
    return reply_ && reply_->results().u32(op) && xdr::decode(reply_->results(), result);
  }

 private:
  friend class Backchannel;
  void set_reply(std::unique_ptr<rpc::Reply> reply) { reply_ = std::move(reply); }
  bool read_head();
  nfs::nfsstat4 sequence_status = nfs::NFS4_OK;
  std::unique_ptr<rpc::Reply> reply_;
};

struct CallbackOptions {
  Duration timeout = std::chrono::seconds(10);  // for one attempt
  uint32_t attempts = 2;                        // over other connections or sessions when one fails
  // Requests whose replies the client may not have seen and which gave it what this callback is about.
  std::vector<session::RequestName> referring;
};

class Role;

class Backchannel {
 public:
  // Finds the connection behind a number: rpc::Server::connection. null: closed.
  using FindConnection = std::function<std::shared_ptr<rpc::Connection>(session::ConnectionId)>;

  Backchannel(session::SessionTable& sessions, io::TimerQueue& timers, FindConnection find);
  // The same with callbacks in the role's trace.
  Backchannel(Role& role, FindConnection find);
  ~Backchannel();

  // Errors: Errc::not_found (no such client), Errc::closed (no back channel, or all failed: SEQ4_STATUS_CB_PATH_DOWN is
  // now set), Errc::timeout (the same), Errc::too_large (over what the client accepts), Errc::protocol (the answer
  // makes no sense). An NFS4ERR of the client is a reply. `ops` has at least one operation.
  io::Task<Result<CallbackReply>> call(session::ClientId client, CallbackOps ops, CallbackOptions options = {});

  // To be called when a session goes (session::Owner::session_removed): callbacks that wait for its slots look for
  // another session.
  void session_removed(const session::SessionId& id);

 private:
  struct Slot {
    uint32_t sequence = 0;  // of the last call that the client is known to have executed
    bool busy = false;
    bool uncertain = false;  // one more may have been executed: its reply never came
  };
  struct Channel {
    Channel(io::Executor executor, uint32_t slots) : slots(slots), freed(executor) {}
    std::vector<Slot> slots;
    io::Event freed;
    bool gone = false;
  };
  struct Attempt;

  // What the rules say to this attempt: waits are done, changed arguments and bytes are in `encoded`.
  io::Task<fault::Verdict> consult_faults(Attempt& a, std::vector<std::byte>& encoded);
  io::Task<Result<CallbackReply>> attempt(Attempt& a);
  io::Task<Result<CallbackReply>> send(Attempt& a, uint32_t sequence);
  // Rules change the fields of CB_SEQUENCE itself; nothing else can happen to it.
  void consult_sequence(Attempt& a, nfs::CB_SEQUENCE4args& args, Arena& arena);
  std::unique_ptr<rpc::Call> build(Attempt& a, const session::Session& session, uint32_t sequence,
                                   std::span<const std::byte> operations);
  std::shared_ptr<Channel> channel_of(const session::Session& session);
  void trace(const Attempt& a, std::string_view status, std::string_view reason, TimePoint began) const;
  // One event for CB_SEQUENCE itself: when the client refused it or a rule changed it.
  void trace_sequence(const Attempt& a, nfs::nfsstat4 status, TimePoint began) const;
  // When it began and how long it took: events are recorded once the answer is there.
  void set_times(trace::Event& event, TimePoint began) const;

  session::SessionTable& sessions_;
  io::TimerQueue& timers_;
  Role* role_ = nullptr;
  FindConnection find_;
  std::unordered_map<session::SessionId, std::shared_ptr<Channel>, session::SessionIdHash> channels_;
};

}  // namespace pnfs::compound
