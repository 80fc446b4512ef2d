// The fault points of callbacks: each operation's arguments, and the encoded operations as a whole.
#include "common/compound/callback_attempt.hpp"
#include "common/compound/role.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/ops.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::compound {

namespace {

// Later rules add to what earlier ones asked for.
void merge(fault::Verdict& into, const fault::Verdict& more) {
  if (more.status) into.status = more.status;
  into.delay += more.delay;
  into.drop_request |= more.drop_request;
  into.drop_reply |= more.drop_reply;
  into.close |= more.close;
  into.reset |= more.reset;
  into.black_hole |= more.black_hole;
  into.duplicate += more.duplicate;
  into.hold_behind += more.hold_behind;
  into.changed |= more.changed;
  if (!more.rule.empty()) into.rule += into.rule.empty() ? more.rule : "; " + more.rule;
}

}  // namespace

void Backchannel::consult_sequence(Attempt& a, nfs::CB_SEQUENCE4args& args, Arena& arena) {
  a.sequence_answer.reset();
  if (role_ == nullptr || !role_->faults().active(fault::Domain::callback, fault::Stage::before)) return;
  std::string owner;
  if (const session::Client* c = sessions_.client(a.client)) owner = c->owner;
  std::vector<std::string_view> names{"CB_SEQUENCE"};
  for (nfs::nfs_cb_opnum4 op : a.ops.ops()) names.push_back(nfs::find_callback(op)->name);
  fault::Context asked;
  asked.domain = fault::Domain::callback;
  asked.op = names.front();
  asked.client = owner;
  asked.connection = a.connection;
  asked.compound = names;
  asked.args = xdr::FieldView::of(args);
  asked.arena = &arena;
  const fault::Verdict verdict = role_->faults().consult(asked);
  if (verdict) a.fault += a.fault.empty() ? verdict.rule : "; " + verdict.rule;
  if (verdict.status) a.sequence_answer = static_cast<nfs::nfsstat4>(*verdict.status);
}

void Backchannel::set_times(trace::Event& event, TimePoint began) const {
  constexpr int64_t kSecond = 1'000'000'000;
  const Duration took = timers_.now() - began;
  const WallTime wall = timers_.clock().wall();
  const int64_t start = wall.seconds * kSecond + wall.nanoseconds - took.count();
  event.ts = {start / kSecond, static_cast<uint32_t>(start % kSecond)};
  event.us = static_cast<uint64_t>(took / std::chrono::microseconds(1));
}

void Backchannel::trace_sequence(const Attempt& a, nfs::nfsstat4 status, TimePoint began) const {
  if (role_ == nullptr || !role_->trace().enabled(trace::Kind::callback)) return;
  if (status == nfs::NFS4_OK && a.fault.empty()) return;
  std::string owner;
  if (const session::Client* c = sessions_.client(a.client)) owner = c->owner;
  const std::string session = session::to_string(a.session), name = nfs::status_name(status);
  trace::Event event;
  event.kind = trace::Kind::callback;
  event.node = role_->node();
  event.client = owner;
  event.conn = a.connection;
  event.session = session;
  event.slot = a.slot;
  event.index = 0;
  event.op = "CB_SEQUENCE";
  event.status = name;
  event.fault = a.fault;
  set_times(event, began);
  role_->trace().record(event);
}

io::Task<fault::Verdict> Backchannel::consult_faults(Attempt& a, std::vector<std::byte>& encoded) {
  fault::Verdict verdict;
  if (role_ == nullptr) co_return verdict;
  fault::Injector& injector = role_->faults();
  const bool before = injector.active(fault::Domain::callback, fault::Stage::before);
  const bool whole = injector.active(fault::Domain::callback, fault::Stage::reply);
  if (!before && !whole) co_return verdict;

  std::string owner, address;
  if (const session::Client* c = sessions_.client(a.client)) owner = c->owner;
  if (const session::Session* s = sessions_.session(a.session)) a.connection = s->back_connection();
  if (const auto connection = find_(a.connection)) address = io::to_string(connection->remote());
  std::vector<std::string_view> names{"CB_SEQUENCE"};
  for (nfs::nfs_cb_opnum4 op : a.ops.ops()) names.push_back(nfs::find_callback(op)->name);
  Arena arena;
  fault::Context asked;
  asked.domain = fault::Domain::callback;
  asked.client = owner;
  asked.address = address;
  asked.connection = a.connection;
  asked.compound = names;
  asked.arena = &arena;
  if (before) {
    asked.stage = fault::Stage::before;
    const std::vector<std::byte> given(a.ops.encoded().begin(), a.ops.encoded().end());
    xdr::Decoder decoder(given, arena);
    xdr::Encoder changed(arena);
    for (uint32_t i = 0; i < a.ops.count(); ++i) {
      uint32_t number = 0;
      decoder.u32(number);
      const nfs::OpInfo* info = nfs::find_callback(number);
      void* args = arena.allocate(info->args->bytes);
      std::memset(args, 0, info->args->bytes);
      info->args->decode(decoder, args);
      asked.op = info->name;
      asked.index = i + 1;
      asked.args = xdr::FieldView(*info->args, args);
      merge(verdict, injector.consult(asked));
      changed.u32(number);
      info->args->encode(changed, args);
    }
    if (verdict.changed) encoded = changed.flatten();
  }
  if (whole) {
    asked.stage = fault::Stage::reply;
    asked.args = {};
    asked.op = names.back();
    asked.bytes = &encoded;
    merge(verdict, injector.consult(asked));
  }
  if (verdict.delay > Duration::zero()) co_await timers_.sleep(verdict.delay);
  co_return verdict;
}

}  // namespace pnfs::compound
