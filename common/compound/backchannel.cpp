#include "common/compound/backchannel.hpp"

#include <algorithm>

#include "common/compound/callback_attempt.hpp"
#include "common/compound/role.hpp"
#include "common/nfs/ops.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::compound {

namespace {

constexpr Duration kBusyPause = std::chrono::milliseconds(100);  // after NFS4ERR_DELAY of CB_SEQUENCE
constexpr uint32_t kBusyTries = 20;
// Call header with an AUTH_SYS credential of some length, head and CB_SEQUENCE, without referring calls.
constexpr size_t kCallOverhead = 300;

rpc::Credential credential_of(const session::Session& session) {
  if (session.security().empty()) return {};
  const session::CallbackSecurity& s = session.security().front();
  return {static_cast<rpc::AuthFlavor>(s.flavor), s.stamp, s.machine, s.uid, s.gid, s.gids};
}

}  // namespace

Backchannel::Backchannel(session::SessionTable& sessions, io::TimerQueue& timers, FindConnection find)
    : sessions_(sessions), timers_(timers), find_(std::move(find)) {}

Backchannel::Backchannel(Role& role, FindConnection find)
    : sessions_(role.sessions()), timers_(role.timers()), role_(&role), find_(std::move(find)) {}

Backchannel::~Backchannel() = default;

io::Task<Result<CallbackReply>> Backchannel::call(session::ClientId client, CallbackOps ops, CallbackOptions options) {
  Attempt a{.client = client, .ops = std::move(ops), .options = std::move(options)};
  Error last = error(Errc::closed, "client {:#x} has no back channel", client);
  for (uint32_t i = 0; i < std::max(1u, a.options.attempts); ++i) {
    if (sessions_.client(client) == nullptr) co_return error(Errc::not_found, "there is no client {:#x}", client);
    const session::Session* session = sessions_.back_session(client);
    if (session == nullptr) break;
    a.session = session->id();
    a.channel = channel_of(*session);
    auto reply = co_await attempt(a);
    if (reply || (reply.error().code != Errc::closed && reply.error().code != Errc::timeout)) co_return reply;
    last = reply.error();
  }
  trace(a, last.code == Errc::timeout ? "timed out" : "no back channel", last.reason, timers_.now());
  co_return last;
}

io::Task<Result<CallbackReply>> Backchannel::attempt(Attempt& a) {
  const std::shared_ptr<Channel> channel = a.channel;
  // Slots that are certain first. The wait ends: every call that holds a slot has a time-out.
  const auto free_slot = [&] {
    size_t best = channel->slots.size();
    for (size_t i = 0; i < channel->slots.size(); ++i) {
      if (channel->slots[i].busy) continue;
      if (!channel->slots[i].uncertain) return i;
      best = std::min(best, i);
    }
    return best;
  };
  size_t index = free_slot();
  while (index == channel->slots.size() && !channel->gone) {
    co_await channel->freed.wait();
    index = free_slot();
  }
  if (channel->gone) co_return error(Errc::closed, "the session of the back channel was destroyed");

  a.slot = static_cast<uint32_t>(index);
  channel->slots[index].busy = true;
  struct Release {
    Channel& channel;
    size_t index;
    ~Release() {
      channel.slots[index].busy = false;
      channel.freed.notify_one();
    }
  } release{*channel, index};

  const bool uncertain = channel->slots[index].uncertain;
  auto reply = co_await send(a, channel->slots[index].sequence + (uncertain ? 2 : 1));
  // The call whose fate was unknown did not arrive, or is the client's last after all: count from the other assumption.
  if (uncertain && reply && reply->sequence_status == nfs::NFS4ERR_SEQ_MISORDERED) {
    reply = co_await send(a, channel->slots[index].sequence + 1);
  }
  if (reply && reply->sequence_status != nfs::NFS4_OK) {
    if (session::Session* session = sessions_.session(a.session)) {
      // The two sides disagree about the slot or the session, and only a new session mends that (18.46.3).
      session->set_back_fault();
    }
    co_return error(Errc::closed, "CB_SEQUENCE was answered {}", nfs::status_name(reply->sequence_status));
  }
  co_return reply;
}

io::Task<Result<CallbackReply>> Backchannel::send(Attempt& a, uint32_t sequence) {
  const std::shared_ptr<Channel> channel = a.channel;
  for (uint32_t tries = 0;; ++tries) {
    std::vector<std::byte> operations(a.ops.encoded().begin(), a.ops.encoded().end());
    const fault::Verdict verdict = co_await consult_faults(a, operations);
    a.fault = verdict.rule;
    if (verdict.status) {
      CallbackReply reply;
      reply.status = static_cast<nfs::nfsstat4>(*verdict.status);
      trace(a, nfs::status_name(reply.status), "fault: " + verdict.rule, timers_.now());
      co_return reply;
    }
    session::Session* session = sessions_.session(a.session);
    if (session == nullptr) co_return error(Errc::closed, "the session of the back channel was destroyed");
    if (a.ops.encoded().size() + kCallOverhead > session->back().max_request_bytes ||
        a.ops.count() + 1 > session->back().max_operations) {
      co_return error(Errc::too_large, "a callback of {} operations and {} bytes is more than the client accepts",
                      a.ops.count() + 1, a.ops.encoded().size());
    }
    a.connection = session->back_connection();
    const std::shared_ptr<rpc::Connection> connection = find_(a.connection);
    if (connection == nullptr) {
      session->unbind_back(a.connection);
      co_return error(Errc::closed, "the connection of the back channel is closed");
    }
    const TimePoint began = timers_.now();
    if (verdict.reset) connection->reset("fault: " + verdict.rule);
    if (verdict.close) connection->close("fault: " + verdict.rule);
    if (verdict.black_hole) connection->black_hole();
    auto call = build(a, *session, sequence, operations);
    if (a.sequence_answer) {
      CallbackReply reply;
      reply.status = reply.sequence_status = *a.sequence_answer;
      trace_sequence(a, reply.status, began);
      if (reply.status != nfs::NFS4ERR_DELAY || tries >= kBusyTries) co_return reply;
      co_await timers_.sleep(kBusyPause);
      continue;
    }
    if (verdict.duplicate != 0) call->duplicate(verdict.duplicate);
    if (verdict.hold_behind != 0) call->hold_behind(verdict.hold_behind);
    if (!a.fault.empty() && connection->watched()) call->remark("fault: " + a.fault);
    Result<std::unique_ptr<rpc::Reply>> answer = error(Errc::timeout, "fault: {}", verdict.rule);
    if (verdict.drop_request || verdict.drop_reply) {  // it never arrives, or its answer does not
      co_await timers_.sleep(a.options.timeout);
    } else {
      answer = co_await connection->call(std::move(call), a.options.timeout);
    }
    if (!answer) {
      channel->slots[a.slot].uncertain = true;
      // Another connection may still work; when none is left the flag makes the client bind a new one.
      if (session::Session* s = sessions_.session(a.session)) s->unbind_back(a.connection);
      trace(a, "no reply", answer.error().reason, began);
      co_return Error{answer.error().code == Errc::timeout ? Errc::timeout : Errc::closed, answer.error().reason};
    }
    CallbackReply reply;
    reply.set_reply(std::move(*answer));
    if (!reply.read_head()) {
      channel->slots[a.slot].uncertain = true;
      trace(a, "malformed", "the answer to CB_COMPOUND does not decode", began);
      co_return error(Errc::protocol, "the answer to CB_COMPOUND does not decode");
    }
    trace_sequence(a, reply.sequence_status, began);
    if (reply.sequence_status == nfs::NFS4ERR_DELAY && tries < kBusyTries) {
      co_await timers_.sleep(kBusyPause);
      continue;
    }
    if (reply.sequence_status == nfs::NFS4_OK) {
      Slot& slot = channel->slots[a.slot];
      slot.sequence = sequence;
      slot.uncertain = false;
    }
    trace(a, nfs::status_name(reply.status), "", began);
    co_return reply;
  }
}

std::unique_ptr<rpc::Call> Backchannel::build(Attempt& a, const session::Session& session, uint32_t sequence,
                                              std::span<const std::byte> operations) {
  const rpc::Credential credential = credential_of(session);
  auto call = std::make_unique<rpc::Call>(session.back_program(), nfs::NFS_CB, nfs::CB_COMPOUND, credential);
  xdr::Encoder& out = call->args();
  xdr::encode(out, nfs::CbCompoundArgsHead{.minorversion = 1, .argarray_count = a.ops.count() + 1});
  nfs::CB_SEQUENCE4args args{.csa_sessionid = session.id(), .csa_sequenceid = sequence, .csa_slotid = a.slot};
  uint32_t highest = a.slot;
  for (uint32_t i = 0; i < a.channel->slots.size(); ++i)
    if (a.channel->slots[i].busy) highest = std::max(highest, i);
  args.csa_highest_slotid = highest;
  // Only requests whose replies the client may not have seen (2.10.6.3).
  std::vector<session::RequestName> unseen;
  for (const session::RequestName& name : a.options.referring) {
    const session::Session* from = sessions_.session(name.session);
    if (from != nullptr && !from->slots().seen(name.slot, name.sequence)) unseen.push_back(name);
  }
  auto lists = call->arena().make_array<nfs::referring_call_list4>(unseen.size());
  for (size_t i = 0; i < unseen.size(); ++i) {
    lists[i].rcl_sessionid = unseen[i].session;
    lists[i].rcl_referring_calls.items = call->arena().make_array<nfs::referring_call4>(1);
    lists[i].rcl_referring_calls[0] = {.rc_sequenceid = unseen[i].sequence, .rc_slotid = unseen[i].slot};
  }
  args.csa_referring_call_lists.items = lists;
  consult_sequence(a, args, call->arena());
  out.u32(nfs::OP_CB_SEQUENCE);
  xdr::encode(out, args);
  out.raw(operations);
  return call;
}

std::shared_ptr<Backchannel::Channel> Backchannel::channel_of(const session::Session& session) {
  auto& channel = channels_[session.id()];
  if (channel == nullptr) {
    const uint32_t slots =
        std::clamp(session.back().max_requests, 1u, std::max(1u, sessions_.config().limits.max_back_slots));
    channel = std::make_shared<Channel>(timers_.executor(), slots);
  }
  return channel;
}

void Backchannel::session_removed(const session::SessionId& id) {
  const auto found = channels_.find(id);
  if (found == channels_.end()) return;
  found->second->gone = true;
  found->second->freed.notify_all();
  channels_.erase(found);
}

void Backchannel::trace(const Attempt& a, std::string_view status, std::string_view reason, TimePoint began) const {
  if (role_ == nullptr || !role_->trace().enabled(trace::Kind::callback)) return;
  trace::Event event;
  event.kind = trace::Kind::callback;
  event.node = role_->node();
  std::string owner, address, args;
  if (const session::Client* c = sessions_.client(a.client)) owner = c->owner;
  if (const auto connection = find_(a.connection)) address = io::to_string(connection->remote());
  const std::string session = session::to_string(a.session);
  event.client = owner;
  event.client_addr = address;
  event.conn = a.connection;
  event.session = session;
  event.slot = a.slot;
  event.status = status;
  event.reason = reason;
  event.fault = a.fault;
  set_times(event, began);
  Arena arena;
  xdr::Decoder decoder(a.ops.encoded(), arena);
  for (uint32_t i = 0; i < a.ops.count(); ++i) {
    uint32_t number = 0;
    if (!decoder.u32(number)) return;
    const nfs::OpInfo* info = nfs::find_callback(number);
    if (info == nullptr) return;
    void* value = arena.allocate(info->args->bytes);
    std::memset(value, 0, info->args->bytes);
    if (!info->args->decode(decoder, value)) return;
    args = xdr::FieldView(*info->args, value).to_line();
    event.index = i + 1;
    event.op = info->name;
    event.args = args;
    role_->trace().record(event);
  }
}

// CB_COMPOUND4res, its first result CB_SEQUENCE.
bool CallbackReply::read_head() {
  xdr::Decoder& in = reply_->results();
  nfs::CompoundResHead head;
  if (!xdr::decode(in, head)) return false;
  status = head.status;
  if (head.resarray_count == 0) {
    sequence_status = head.status;  // refused as a whole
    return head.status != nfs::NFS4_OK;
  }
  uint32_t op = 0;
  nfs::CB_SEQUENCE4res sequence;
  if (!in.u32(op) || op != nfs::OP_CB_SEQUENCE || !xdr::decode(in, sequence)) return false;
  sequence_status = sequence.csr_status;
  results = head.resarray_count - 1;
  return true;
}

}  // namespace pnfs::compound
