// Outgoing calls: xids, time-outs, and what their replies mean.
#include "common/rpc/connection.hpp"
#include "common/rpc/pending.hpp"

namespace pnfs::rpc {

Call::Call(uint32_t program, uint32_t version, uint32_t procedure, const Credential& credential)
    : encoder_(arena_), mark_(encoder_.reserve_u32()) {
  CallHeader header;
  header.program = program;
  header.version = version;
  header.procedure = procedure;
  header.credential = credential;
  encode_call(encoder_, header);
}

namespace {

Error describe(const ReplyHeader& header) {
  if (!header.accepted) {
    if (header.rpc_mismatch)
      return error(Errc::unsupported, "RPC_MISMATCH: the peer speaks RPC versions {} to {}", header.low, header.high);
    return error(Errc::permission, "AUTH_ERROR: the peer refused the credential (auth_stat {})",
                 static_cast<uint32_t>(header.auth_status));
  }
  switch (header.status) {
    case PROG_UNAVAIL:
      return error(Errc::unsupported, "PROG_UNAVAIL: the peer does not offer the program");
    case PROG_MISMATCH:
      return error(Errc::unsupported, "PROG_MISMATCH: the peer offers versions {} to {}", header.low, header.high);
    case PROC_UNAVAIL:
      return error(Errc::unsupported, "PROC_UNAVAIL: the peer does not know the procedure");
    case GARBAGE_ARGS:
      return error(Errc::protocol, "GARBAGE_ARGS: the peer could not read the arguments");
    case SYSTEM_ERR:
      return error(Errc::io, "SYSTEM_ERR: the peer failed");
    case SUCCESS:
      break;
  }
  return error(Errc::protocol, "the reply's accept_stat {} is none", static_cast<uint32_t>(header.status));
}

}  // namespace

io::Task<Result<std::unique_ptr<Reply>>> Connection::call(std::unique_ptr<Call> call, Duration timeout) {
  const auto self = shared_from_this();
  if (closed_)
    co_return error(Errc::closed, "the connection to {} is closed: {}", io::to_string(remote_), close_reason_);
  while (pending_.contains(next_xid_)) ++next_xid_;
  Pending pending(*this, next_xid_++);
  xdr::Encoder::patch(call->mark_ + 4, pending.xid);
  pending.timer = env_.timers->schedule_after(timeout, [&pending, timeout] {
    pending.timer = 0;
    pending.finish(error(Errc::timeout, "no reply within {} ms",
                         std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
  });
  Outgoing message;
  message.call = std::move(call);
  send(std::move(message));
  while (!pending.outcome) co_await pending.done.wait();
  co_return std::move(*pending.outcome);
}

Connection::Pending::Pending(Connection& connection, uint32_t xid)
    : connection(connection), xid(xid), done(connection.env_.timers->executor()) {
  connection.pending_.emplace(xid, this);
}

// Also runs when the waiting coroutine is cancelled.
Connection::Pending::~Pending() {
  connection.pending_.erase(xid);
  if (timer != 0) connection.env_.timers->cancel(timer);
}

void Connection::Pending::finish(Result<std::unique_ptr<Reply>> result) {
  if (outcome) return;
  outcome.emplace(std::move(result));
  done.notify_all();
}

void Connection::take_reply(Buffer record, size_t bytes) {
  auto reply = std::make_unique<Reply>(std::move(record), bytes);
  auto header = decode_reply(reply->results_);
  if (!header) {
    end(header.error().reason, false);
    return;
  }
  const auto it = pending_.find(header->xid);
  if (it == pending_.end()) return;  // it came too late, or twice
  if (header->accepted && header->status == SUCCESS) {
    it->second->finish(std::move(reply));
  } else {
    it->second->finish(describe(*header));
  }
}

}  // namespace pnfs::rpc
