// Sends CB_COMPOUNDs to clients over the back channels of their sessions (RFC 8881 2.10.3.1, 20): slots, referring
// calls, time-outs, another connection when one fails, and the flags by which a client learns that its back channel is
// down.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/io/event.hpp"
#include "common/io/timer_queue.hpp"
#include "common/rpc/connection.hpp"
#include "common/session/session_table.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::compound {

// The operations after CB_SEQUENCE. Arguments are encoded at once, so they need not outlive add().
class CallbackOps {
 public:
  template <class Args>
  void add(nfs::nfs_cb_opnum4 op, const Args& args) {
    encoder_.u32(op);
    xdr::encode(encoder_, args);
    ops_.push_back(op);
  }
  uint32_t count() const { return static_cast<uint32_t>(ops_.size()); }
  std::vector<std::byte> encoded() { return encoder_.flatten(); }
  const std::vector<nfs::nfs_cb_opnum4>& ops() const { return ops_; }

 private:
  Arena arena_;
  xdr::Encoder encoder_{arena_};
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
  void set_reply(std::unique_ptr<rpc::Reply> reply) { reply_ = std::move(reply); }

 private:
  std::unique_ptr<rpc::Reply> reply_;
};

struct CallbackOptions {
  Duration timeout = std::chrono::seconds(10);  // for one attempt
  uint32_t attempts = 2;                        // over other connections or sessions when one fails
  // Requests whose replies the client may not have seen and which gave it what this callback is about.
  std::vector<session::RequestName> referring;
};

class Backchannel {
 public:
  // Finds the connection behind a number: rpc::Server::connection. null: closed.
  using FindConnection = std::function<std::shared_ptr<rpc::Connection>(session::ConnectionId)>;

  Backchannel(session::SessionTable& sessions, io::TimerQueue& timers, FindConnection find);
  ~Backchannel();

  // Errors: Errc::not_found (no such client), Errc::closed (no back channel, or all failed: SEQ4_STATUS_CB_PATH_DOWN is
  // now set), Errc::timeout, Errc::protocol (the answer makes no sense). An NFS4ERR of the client is a reply.
  io::Task<Result<CallbackReply>> call(session::ClientId client, CallbackOps ops, CallbackOptions options = {});

  // To be called when a session goes: waiting callbacks end with Errc::closed.
  void session_removed(const session::SessionId& id);

 private:
  struct Channel;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pnfs::compound
