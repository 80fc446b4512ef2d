#include "common/control/control_service.hpp"

#include "common/control/wire.hpp"
#include "common/rpc/connection.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::control {

namespace {

template <class T>
void* make(Arena& arena) {
  return arena.make<T>();
}

template <class Res>
void refuse(void* res, control_status status, std::string_view reason) {
  auto& r = *static_cast<Res*>(res);
  r.status = status;
  r.reason.text = reason;
}
template <class Res>
control_status status_of(const void* res) {
  return static_cast<const Res*>(res)->status;
}
template <class Res>
std::string_view reason_of(const void* res) {
  const auto& r = *static_cast<const Res*>(res);
  if constexpr (requires { r.refusal; }) {
    if (r.status == CTL_REFUSED) return r.refusal.reason.text;
  }
  return r.status == CTL_OK ? std::string_view() : r.reason.text;
}

template <class Args, class Res>
constexpr ProcInfo entry(control_proc proc, std::string_view name) {
  return {proc,           name,           &xdr::type_info<Args>, &xdr::type_info<Res>, &make<Args>, &make<Res>,
          &refuse<Res>, &status_of<Res>, &reason_of<Res>};
}

constexpr ProcInfo kProcs[] = {
    entry<REGISTERargs, REGISTERres>(CTLPROC_REGISTER, "REGISTER"),
    entry<RENEWargs, RENEWres>(CTLPROC_RENEW, "RENEW"),
    entry<GRANTargs, GRANTres>(CTLPROC_GRANT, "GRANT"),
    entry<GRANT_RETURNargs, STATUSres>(CTLPROC_GRANT_RETURN, "GRANT_RETURN"),
    entry<STATEID_CHECKargs, STATEID_CHECKres>(CTLPROC_STATEID_CHECK, "STATEID_CHECK"),
    entry<FILE_CHANGEDargs, STATUSres>(CTLPROC_FILE_CHANGED, "FILE_CHANGED"),
    entry<LEAVEargs, STATUSres>(CTLPROC_LEAVE, "LEAVE"),
    entry<PINGargs, STATUSres>(CTLPROC_PING, "PING"),
    entry<REVOKEargs, REVOKEres>(CTLPROC_REVOKE, "REVOKE"),
    entry<REVOKE_STATEIDargs, STATUSres>(CTLPROC_REVOKE_STATEID, "REVOKE_STATEID"),
    entry<NODESargs, NODESres>(CTLPROC_NODES, "NODES"),
    entry<LOCKSargs, LOCKSres>(CTLPROC_LOCKS, "LOCKS"),
};

}  // namespace

struct ControlService::Step {
  const ProcInfo* info;
  void* args;
  void* res;
  bool run = true;
  WallTime began;
  TimePoint began_at{};
  std::string fault;
};

const ProcInfo* find_proc(uint32_t procedure) {
  for (const ProcInfo& info : kProcs)
    if (info.proc == procedure) return &info;
  return nullptr;
}

void add_control_points(fault::Vocabulary& vocabulary) {
  for (const ProcInfo& info : kProcs) {
    fault::Point point;
    point.domain = fault::Domain::control;
    point.name = info.name;
    point.args = info.args;
    point.res = info.res;
    vocabulary.add(std::move(point));
  }
  for (const std::string_view name :
       {step::kAwaitIo, step::kDropGrants, step::kAwaitVerdicts, step::kFence, step::kQuarantine}) {
    fault::Point point;
    point.domain = fault::Domain::control;
    point.name = name;
    vocabulary.add(std::move(point));
  }
  vocabulary.set_statuses(fault::Domain::control, xdr::enumerators<control_status>(), {"CTL_"});
}

bool ControlService::left_out(std::string_view step) const {
  if (watch_.faults == nullptr || !watch_.faults->active(fault::Domain::control, fault::Stage::before)) return false;
  fault::Context context;
  context.domain = fault::Domain::control;
  context.stage = fault::Stage::before;
  context.op = step;
  return watch_.faults->consult(context).status.has_value();
}

io::Task<bool> ControlService::consult(rpc::Request& request, Step& step, fault::Stage stage) {
  const std::string address = io::to_string(request.connection()->remote());
  const std::string caller = caller_name(request);
  fault::Context context;
  context.domain = fault::Domain::control;
  context.stage = stage;
  context.op = step.info->name;
  context.client = caller;
  context.address = address;
  context.connection = request.connection()->id();
  context.args = xdr::FieldView(*step.info->args, step.args);
  if (stage == fault::Stage::after) context.res = xdr::FieldView(*step.info->res, step.res);
  context.arena = &request.arena();
  fault::Verdict verdict = watch_.faults->consult(context);
  if (!verdict) co_return true;
  step.fault += step.fault.empty() ? verdict.rule : "; " + verdict.rule;
  if (verdict.delay > Duration::zero()) co_await watch_.timers->sleep(verdict.delay);
  if (verdict.status) {
    step.run = false;
    step.info->refuse(step.res, static_cast<control_status>(*verdict.status),
                      request.arena().copy(std::string_view("fault: " + verdict.rule)));
  }
  if (verdict.reset) {
    request.connection()->reset("fault: " + verdict.rule);
  } else if (verdict.close) {
    request.connection()->close("fault: " + verdict.rule);
  }
  const bool silent = verdict.reset || verdict.close || verdict.drop_request || verdict.drop_reply || verdict.black_hole;
  if (stage == fault::Stage::before && verdict.drop_reply && !verdict.drop_request) {
    // It happens, but nobody hears of it.
    co_await run(request, step.info->proc, step.args, step.res);
  }
  if (silent) request.drop();
  co_return !silent;
}

void ControlService::tell(rpc::Request& request, const Step& step) const {
  const std::string_view reason = step.info->reason_of(step.res);
  if (request.connection()->watched() && (!reason.empty() || !step.fault.empty())) {
    request.remark(fmt::format("{}: {}{}{}{}{}", step.info->name, to_string(step.info->status_of(step.res)),
                               reason.empty() ? "" : ": ", reason, step.fault.empty() ? "" : "; fault: ", step.fault));
  }
  if (watch_.trace == nullptr || !watch_.trace->enabled(trace::Kind::control)) return;
  const std::string caller = caller_name(request);
  const std::string address = io::to_string(request.connection()->remote());
  const std::string args = xdr::FieldView(*step.info->args, step.args).to_line();
  const std::string res = xdr::FieldView(*step.info->res, step.res).to_line();
  trace::Event event;
  event.kind = trace::Kind::control;
  event.ts = step.began;
  event.client = caller;
  event.client_addr = address;
  event.conn = request.connection()->id();
  event.xid = request.xid();
  event.op = step.info->name;
  event.args = args;
  event.res = res;
  event.status = to_string(step.info->status_of(step.res));
  event.reason = reason;
  event.fault = step.fault;
  std::string cause;
  if (const uint32_t stamp = request.credential().stamp; stamp != 0) cause = fmt::format("{}:{}", caller, stamp);
  event.cause = cause;
  event.us = static_cast<uint64_t>((watch_.timers->now() - step.began_at) / std::chrono::microseconds(1));
  watch_.trace->record(event);
}

io::Task<void> ControlService::handle(rpc::Request& request) {
  Step step{};
  step.info = find_proc(request.procedure());
  if (step.info == nullptr) {
    request.reply_error(rpc::PROC_UNAVAIL);
    co_return;
  }
  step.args = step.info->make_args(request.arena());
  step.res = step.info->make_res(request.arena());
  if (!step.info->args->decode(request.args(), step.args)) {
    request.reply_error(rpc::GARBAGE_ARGS);
    co_return;
  }
  step.began = watch_.timers->clock().wall();
  step.began_at = watch_.timers->now();
  const bool faulty = watch_.faults != nullptr;
  if (faulty && watch_.faults->active(fault::Domain::control, fault::Stage::before)) {
    if (!co_await consult(request, step, fault::Stage::before)) {
      tell(request, step);
      co_return;
    }
  }
  if (step.run && !co_await run(request, step.info->proc, step.args, step.res)) {
    request.reply_error(rpc::PROC_UNAVAIL);
    co_return;
  }
  if (faulty && watch_.faults->active(fault::Domain::control, fault::Stage::after)) {
    if (!co_await consult(request, step, fault::Stage::after)) {
      tell(request, step);
      co_return;
    }
  }
  step.info->res->encode(request.begin_reply(), step.res);
  tell(request, step);
}

}  // namespace pnfs::control
