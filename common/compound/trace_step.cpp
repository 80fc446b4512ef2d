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
  std::string text = fmt::format("{}/", stateid.seqid);
  append_hex(text, stateid.other.bytes);
  return text;
}

namespace {

// What every event of a request has, whichever operation it is about.
struct Common {
  std::string client, address, principal, session;
  trace::Event event;

  Common(Context& context, trace::Kind kind) {
    if (const session::Client* c = context.client()) client = c->owner;
    address = io::to_string(context.connection().remote());
    principal = session::to_string(context.principal());
    event.kind = kind;
    event.node = context.role().node();
    event.client = client;
    event.client_addr = address;
    event.principal = principal;
    event.conn = context.connection_id();
    event.xid = context.request().xid();
    event.call = context.call;
    if (context.in_session()) {
      session = session::to_string(context.name().session);
      event.session = session;
      event.slot = context.name().slot;
      event.seq = context.name().sequence;
    }
  }
};

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
  Common common(context, trace::Kind::op);
  trace::Event& event = common.event;
  const TraceFields& fields = context.trace;
  const std::string status = nfs::status_name(step.status.status);
  std::string args, result, stateid, reason = step.status.reason;
  if (step.info != nullptr && step.args != nullptr) args = xdr::FieldView(*step.info->args, step.args).to_line();
  if (step.info != nullptr && step.result != nullptr) result = xdr::FieldView(*step.info->res, step.result).to_line();
  if (fields.stateid) stateid = stateid_text(*fields.stateid);
  if (!fields.note.empty()) reason = reason.empty() ? fields.note : reason + "; " + fields.note;
  event.ts = step.wall;
  event.index = context.op_index;
  event.op = step.info != nullptr ? step.info->name : "ILLEGAL";
  event.path = fields.path;
  event.fileid = fields.fileid;
  event.stateid = stateid;
  if (fields.iomode) event.iomode = iomode_name(*fields.iomode);
  event.offset = fields.offset;
  event.length = fields.count;
  event.bytes = fields.bytes;
  event.device = fields.device;
  event.args = args;
  event.res = result;
  event.status = status;
  event.reason = reason;
  event.section = step.status.section;
  event.fault = step.fault;
  event.us = static_cast<uint64_t>(std::chrono::microseconds(std::chrono::duration_cast<std::chrono::microseconds>(
                                                                 context.role().now() - step.began))
                                       .count());
  sink.record(event);
  trace_state(event, step, sink);
}

void trace_refused(Context& context, std::string_view status, std::string_view reason, std::string_view section) {
  if (context.connection().watched())
    context.request().remark(fmt::format("COMPOUND: {}: {} [RFC 8881 {}]", status, reason, section));
  trace::Sink& sink = context.role().trace();
  if (!sink.enabled(trace::Kind::rpc)) return;
  Common common(context, trace::Kind::rpc);
  common.event.op = "COMPOUND";
  common.event.status = status;
  common.event.reason = reason;
  common.event.section = section;
  sink.record(common.event);
}

}  // namespace pnfs::compound
