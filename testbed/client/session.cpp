#include "testbed/client/session.hpp"

namespace pnfs::client {

using namespace nfs;

Session::Session(rpc::Client& rpc, io::TimerQueue& timers, SessionSetup setup)
    : rpc_(rpc),
      timers_(timers),
      setup_(std::move(setup)),
      connected_(timers.executor()),
      slots_(setup_.slots),
      slot_free_(timers.executor()) {}

SEQUENCE4args Session::sequence_args(uint32_t slot) const {
  SEQUENCE4args args;
  args.sa_sessionid = sessionid_;
  args.sa_slotid = slot;
  args.sa_sequenceid = slots_[slot].sequence;
  args.sa_highest_slotid = slot;
  for (uint32_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].busy) args.sa_highest_slotid = std::max(args.sa_highest_slotid, i);
  return args;
}

io::Task<Outcome<ReplyPtr>> Session::attempt(std::shared_ptr<Compound> compound) {
  const auto connection = connection_;
  if (!connection || connection->closed())
    co_return Failure{.transport = error(Errc::closed, "no connection to {}", io::to_string(setup_.server))};
  auto reply = co_await connection->call(Compound::make_call(compound, setup_.credential), setup_.timeout);
  if (!reply) co_return Failure{.transport = reply.error()};
  auto parsed = std::make_unique<CompoundReply>(std::move(*reply));
  co_return parsed;
}

io::Task<Outcome<ReplyPtr>> Session::run_bare(std::shared_ptr<Compound> compound) {
  if (!connection_ || connection_->closed()) {
    auto connected = co_await connect();
    if (!connected) co_return connected.error();
  }
  co_return co_await attempt(compound);
}

io::Task<Outcome<ReplyPtr>> Session::run(std::shared_ptr<Compound> compound) {
  uint32_t slot = 0;
  for (;;) {
    for (slot = 0; slot < slots_.size() && slots_[slot].busy;) ++slot;
    if (slot < slots_.size()) break;
    co_await slot_free_.wait();
  }
  slots_[slot].busy = true;
  struct Release {
    Session& session;
    uint32_t slot;
    ~Release() {
      if (slot < session.slots_.size()) session.slots_[slot].busy = false;
      session.slot_free_.notify_one();
    }
  } release{*this, slot};

  const auto session_at_start = sessionid_;
  for (uint32_t tries = 1;; ++tries) {
    if (sessionid_ != session_at_start)  // somebody established another one meanwhile: this request is not in it
      co_return Failure{NFS4ERR_BADSESSION, OP_SEQUENCE, {}};
    SEQUENCE4args args = sequence_args(slot);
    args.sa_cachethis = compound->cache_this();
    compound->set_sequence(args);
    auto reply = co_await attempt(compound);
    if (reply) {
      const auto& sequence = (*reply)->get<SEQUENCE4res>(OP_SEQUENCE);
      if (const auto& failure = (*reply)->failure()) {
        if (failure->is(NFS4ERR_DELAY) && tries < setup_.attempts) {
          co_await timers_.sleep(std::chrono::milliseconds(100));
          continue;
        }
        co_return *failure;
      }
      ++slots_[slot].sequence;
      status_flags_ = sequence.sr_resok4.sr_status_flags;
      co_return std::move(*reply);
    }
    const Errc code = reply.error().transport.code;
    if ((code != Errc::closed && code != Errc::timeout) || tries >= setup_.attempts) co_return reply.error();
    // Whether the server ran it is unknown: the same slot and sequence id get either its answer or a first run.
    if (code == Errc::timeout && connection_) connection_->close("a call was not answered in time");
    auto again = co_await reconnect();
    if (!again) {
      if (tries + 1 >= setup_.attempts) co_return again.error();
      co_await timers_.sleep(std::chrono::seconds(1));
    }
  }
}

}  // namespace pnfs::client
