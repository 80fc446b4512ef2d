#include "common/base/append.hpp"
#include "common/compound/step.hpp"
#include "common/nfs/ops.hpp"
#include "common/rpc/connection.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::compound {

std::string_view iomode_name(uint32_t iomode) {
  switch (iomode) {
    case nfs::LAYOUTIOMODE4_READ:
      return "READ";
    case nfs::LAYOUTIOMODE4_RW:
      return "RW";
    case nfs::LAYOUTIOMODE4_ANY:
      return "ANY";
    default:
      return "invalid";
  }
}

std::string stateid_text(const nfs::stateid4& stateid) {
  std::string text;
  append_number(text, stateid.seqid);
  text += '/';
  append_hex(text, stateid.other.bytes);
  return text;
}

namespace {

// What every event of a request has, whichever operation it is about.
trace::Event common_event(Context& context, trace::Kind kind, const TraceOrigin& origin) {
  trace::Event event;
  event.kind = kind;
  event.node = context.role().node();
  event.client = origin.client;
  event.client_addr = origin.address;
  event.principal = origin.principal;
  event.conn = context.connection_id();
  event.xid = context.request().xid();
  event.call = context.call;
  if (context.in_session()) {
    event.session = origin.session;
    event.slot = context.name().slot;
    event.seq = context.name().sequence;
  }
  return event;
}

WallTime wall_time(std::chrono::nanoseconds since_1970) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
  return {seconds.count(), static_cast<uint32_t>((since_1970 - seconds).count())};
}

}  // namespace

void describe_args(const Step& step, TraceFields& out) {
  if (step.args == nullptr || step.operation == nullptr) return;
  switch (step.number) {
    case nfs::OP_READ: {
      const auto& a = *static_cast<const nfs::READ4args*>(step.args);
      out.offset = a.offset;
      out.count = a.count;
      out.stateid = a.stateid;
      break;
    }
    case nfs::OP_WRITE: {
      const auto& a = *static_cast<const nfs::WRITE4args*>(step.args);
      out.offset = a.offset;
      out.count = a.data.size();
      out.stateid = a.stateid;
      break;
    }
    case nfs::OP_COMMIT: {
      const auto& a = *static_cast<const nfs::COMMIT4args*>(step.args);
      out.offset = a.offset;
      out.count = a.count;
      break;
    }
    case nfs::OP_LAYOUTGET: {
      const auto& a = *static_cast<const nfs::LAYOUTGET4args*>(step.args);
      out.offset = a.loga_offset;
      out.count = a.loga_length;
      out.iomode = a.loga_iomode;
      out.stateid = a.loga_stateid;
      break;
    }
    case nfs::OP_LAYOUTCOMMIT: {
      const auto& a = *static_cast<const nfs::LAYOUTCOMMIT4args*>(step.args);
      out.offset = a.loca_offset;
      out.count = a.loca_length;
      out.stateid = a.loca_stateid;
      break;
    }
    case nfs::OP_LAYOUTRETURN: {
      const auto& a = *static_cast<const nfs::LAYOUTRETURN4args*>(step.args);
      out.iomode = a.lora_iomode;
      break;
    }
    default:
      break;
  }
}

namespace {

// What a packet capture says about the reply: every error with its reason, every rule that acted.
void remark_step(Context& context, const Step& step) {
  if ((step.status.ok() && step.fault.empty()) || !context.connection().watched()) return;
  std::string text(step.info != nullptr ? step.info->name : "ILLEGAL");
  if (!step.status) text += ": " + nfs::status_name(step.status.status);
  if (!step.status.reason.empty()) text += ": " + step.status.reason;
  if (!step.status.section.empty()) text += fmt::format(" [RFC 8881 {}]", step.status.section);
  if (!step.fault.empty() && step.status.reason.find(step.fault) == std::string::npos) text += "; fault: " + step.fault;
  context.request().remark(text);
}

}  // namespace

void trace_step(Context& context, const Step& step) {
  remark_step(context, step);
  trace::Sink& sink = context.role().trace();
  if (!sink.enabled(trace::Kind::op)) return;
  const TimePoint ended = step.ended ? *step.ended : context.role().now();
  const TraceOrigin& origin = context.origin(ended);
  trace::Event event = common_event(context, trace::Kind::op, origin);
  const TraceFields& fields = context.trace;
  std::string args, result, stateid, status, reason;
  if (step.info != nullptr && step.args != nullptr) event.args_of = xdr::FieldView(*step.info->args, step.args);
  if (step.info != nullptr && step.result != nullptr) event.res_of = xdr::FieldView(*step.info->res, step.result);
  event.status = "NFS4_OK";
  if (!step.status.ok()) event.status = status = nfs::status_name(step.status.status);
  if (!step.status.ok() || !step.fault.empty()) {
    // Rules and peers make values that only their text survives.
    if (event.args_of) event.args = args = event.args_of.to_line();
    if (event.res_of) event.res = result = event.res_of.to_line();
  }
  if (fields.stateid) event.stateid = stateid = stateid_text(*fields.stateid);
  event.reason = step.status.reason;
  if (!fields.note.empty()) {
    reason = event.reason.empty() ? fields.note : step.status.reason + "; " + fields.note;
    event.reason = reason;
  }
  event.ts = wall_time(origin.zero + step.began.time_since_epoch());
  event.index = context.op_index;
  event.op = step.info != nullptr ? step.info->name : "ILLEGAL";
  event.path = fields.path;
  event.fileid = fields.fileid;
  if (fields.iomode) event.iomode = iomode_name(*fields.iomode);
  event.offset = fields.offset;
  event.length = fields.count;
  event.bytes = fields.bytes;
  event.device = fields.device;
  event.section = step.status.section;
  event.fault = step.fault;
  event.us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(ended - step.began).count());
  sink.record(event);
  trace_state(event, step, sink);
}

void trace_refused(Context& context, std::string_view status, std::string_view reason, std::string_view section) {
  if (context.connection().watched())
    context.request().remark(fmt::format("COMPOUND: {}: {} [RFC 8881 {}]", status, reason, section));
  trace::Sink& sink = context.role().trace();
  if (!sink.enabled(trace::Kind::rpc)) return;
  trace::Event event = common_event(context, trace::Kind::rpc, context.origin(context.role().now()));
  event.op = "COMPOUND";
  event.status = status;
  event.reason = reason;
  event.section = section;
  sink.record(event);
}

}  // namespace pnfs::compound
