// Lifetimes as events of their own (Kind::state): which operation began or ended a session, an open, a set of locks, a
// delegation, a layout. What ends without an operation (an expired client, a revoked layout) the role tells itself.
#include "common/compound/step.hpp"
#include "common/nfs/ops.hpp"

namespace pnfs::compound {

namespace {

struct Change {
  std::string_view op;
  std::optional<nfs::stateid4> stateid;
  std::string session;
  std::string_view iomode;
  std::optional<uint64_t> offset, length;
  std::string_view args;
};

template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

void of_open(const nfs::OPEN4resok& ok, std::vector<Change>& out) {
  out.push_back({.op = "open.granted", .stateid = ok.stateid});
  if (ok.delegation.delegation_type == nfs::OPEN_DELEGATE_READ)
    out.push_back({.op = "delegation.granted", .stateid = ok.delegation.read.stateid, .iomode = "READ"});
  if (ok.delegation.delegation_type == nfs::OPEN_DELEGATE_WRITE)
    out.push_back({.op = "delegation.granted", .stateid = ok.delegation.write.stateid, .iomode = "WRITE"});
}

void of_layoutget(const nfs::LAYOUTGET4resok& ok, std::vector<Change>& out) {
  for (const nfs::layout4& layout : ok.logr_layout.items)
    out.push_back({.op = "layout.granted",
                   .stateid = ok.logr_stateid,
                   .iomode = iomode_name(layout.lo_iomode),
                   .offset = layout.lo_offset,
                   .length = layout.lo_length,
                   .args = ok.logr_return_on_close ? "return_on_close" : ""});
}

void of_layoutreturn(const nfs::LAYOUTRETURN4args& args, const nfs::LAYOUTRETURN4res& res, std::vector<Change>& out) {
  Change change{.op = "layout.returned", .iomode = iomode_name(args.lora_iomode)};
  if (args.lora_layoutreturn.lr_returntype == nfs::LAYOUTRETURN4_FILE) {
    const nfs::layoutreturn_file4& file = args.lora_layoutreturn.lr_layout;
    change.stateid = file.lrf_stateid;
    change.offset = file.lrf_offset;
    change.length = file.lrf_length;
    change.args = res.lorr_stateid.lrs_present ? "part" : "";
  } else {
    change.args = "all";
  }
  out.push_back(change);
}

std::vector<Change> changes(const Step& step) {
  std::vector<Change> out;
  switch (step.number) {
    case nfs::OP_CREATE_SESSION:
      out.push_back({.op = "session.created",
                     .session = session::to_string(as<nfs::CREATE_SESSION4res>(step.result).csr_resok4.csr_sessionid)});
      break;
    case nfs::OP_DESTROY_SESSION:
      out.push_back({.op = "session.destroyed",
                     .session = session::to_string(as<nfs::DESTROY_SESSION4args>(step.args).dsa_sessionid)});
      break;
    case nfs::OP_OPEN:
      of_open(as<nfs::OPEN4res>(step.result).resok4, out);
      break;
    case nfs::OP_CLOSE:
      out.push_back({.op = "open.closed", .stateid = as<nfs::CLOSE4args>(step.args).open_stateid});
      break;
    case nfs::OP_LOCK:
      out.push_back({.op = "lock.granted", .stateid = as<nfs::LOCK4res>(step.result).resok4.lock_stateid});
      break;
    case nfs::OP_DELEGRETURN:
      out.push_back({.op = "delegation.returned", .stateid = as<nfs::DELEGRETURN4args>(step.args).deleg_stateid});
      break;
    case nfs::OP_FREE_STATEID:
      out.push_back({.op = "stateid.freed", .stateid = as<nfs::FREE_STATEID4args>(step.args).fsa_stateid});
      break;
    case nfs::OP_LAYOUTGET:
      of_layoutget(as<nfs::LAYOUTGET4res>(step.result).logr_resok4, out);
      break;
    case nfs::OP_LAYOUTRETURN:
      of_layoutreturn(as<nfs::LAYOUTRETURN4args>(step.args), as<nfs::LAYOUTRETURN4res>(step.result), out);
      break;
    default:
      break;
  }
  return out;
}

}  // namespace

void trace_state(const trace::Event& of, const Step& step, trace::Sink& sink) {
  if (!step.status || !step.run || step.args == nullptr || !sink.enabled(trace::Kind::state)) return;
  for (const Change& change : changes(step)) {
    trace::Event event = of;
    const std::string stateid = change.stateid ? stateid_text(*change.stateid) : std::string();
    event.kind = trace::Kind::state;
    event.op = change.op;
    event.stateid = stateid;
    if (!change.session.empty()) event.session = change.session;
    event.iomode = change.iomode;
    event.offset = change.offset;
    event.length = change.length;
    event.bytes.reset();
    event.args_of = event.res_of = {};
    event.device = event.res = event.status = event.reason = event.section = event.fault = {};
    event.args = change.args;
    event.us.reset();
    sink.record(event);
  }
}

}  // namespace pnfs::compound
