#include "common/compound/step.hpp"
#include "common/compound/typed_bodies.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::compound {

namespace {

struct Known {  // strings that the injector's context points into
  std::string client, address, principal;
};

fault::Context make_context(Context& context, const Step& step, fault::Stage stage,
                            std::span<const std::string_view> names, Known& known) {
  if (const session::Client* c = context.client()) known.client = c->owner;
  known.address = io::to_string(context.connection().remote());
  known.principal = session::to_string(context.principal());
  const TraceFields& fields = context.trace;
  fault::Context out;
  out.domain = fault::Domain::operation;
  out.stage = stage;
  out.op = step.info != nullptr ? step.info->name : "ILLEGAL";
  out.client = known.client;
  out.address = known.address;
  out.principal = known.principal;
  out.path = fields.path;
  out.fileid = fields.fileid;
  out.offset = fields.offset;
  out.length = fields.count;
  out.iomode = fields.iomode;
  out.minorversion = context.minorversion;
  out.connection = context.connection_id();
  out.compound = names;
  out.index = context.op_index;
  if (step.info != nullptr && step.args != nullptr) out.args = xdr::FieldView(*step.info->args, step.args);
  out.arena = &context.arena();
  return out;
}

// Delay first, then what happens to the reply on its way, then whatever ends the request.
io::Task<Fate> carry_out(Context& context, fault::Verdict verdict) {
  if (verdict.delay > Duration::zero()) co_await context.role().timers().sleep(verdict.delay);
  if (verdict.duplicate != 0) context.request().duplicate(verdict.duplicate);
  if (verdict.hold_behind != 0) context.request().hold_behind(verdict.hold_behind);
  if (verdict.black_hole) {
    context.connection().black_hole();
    co_return Fate::dropped;
  }
  if (verdict.reset || verdict.close) {
    const std::string why = "fault: " + verdict.rule;
    if (verdict.reset) {
      context.connection().reset(why);
    } else {
      context.connection().close(why);
    }
    co_return Fate::closed;
  }
  if (verdict.drop_request || verdict.drop_reply) co_return Fate::dropped;
  co_return Fate::go_on;
}

}  // namespace

io::Task<Fate> consult(Context& context, Step& step, fault::Stage stage, std::span<const std::string_view> names) {
  Known known;
  fault::Context asked = make_context(context, step, stage, names, known);
  TypedResult typed;
  if (step.info != nullptr && step.result != nullptr && stage == fault::Stage::after)
    asked.res = typed.open(*step.info, step.result, context.arena());
  fault::Verdict verdict = context.role().faults().consult(asked);
  if (!verdict) co_return Fate::go_on;
  if (verdict.changed) typed.write_back();
  step.fault += step.fault.empty() ? verdict.rule : "; " + verdict.rule;
  // What is not there cannot be said to have succeeded: it has no result to send.
  if (verdict.status && step.not_offered && *verdict.status == nfs::NFS4_OK) verdict.status.reset();
  if (verdict.status) {
    step.run = false;
    step.status = {static_cast<nfs::nfsstat4>(*verdict.status), {}, "fault: " + verdict.rule};
    nfs::OpInfo::set_status(step.result, step.status.status);
  } else if (stage == fault::Stage::after && verdict.changed) {
    // A rule may have written the status itself.
    step.status.status = nfs::OpInfo::status_of(step.result);
  }
  if (verdict.drop_request && context.slot_open()) {
    context.role().sessions().abandon(context.name().session, context.name().slot, context.name().sequence);
    context.leave_session();
  }
  // A reply that is not to be sent is still remembered: the request goes on to its end.
  if (verdict.drop_reply) {
    context.drop_reply = true;
    verdict.drop_reply = false;
  }
  co_return co_await carry_out(context, std::move(verdict));
}

io::Task<Fate> consult_reply(Context& context, const Step& last, std::span<const std::string_view> names) {
  Known known;
  std::vector<std::byte> bytes = context.request().copy_results();
  fault::Context asked = make_context(context, last, fault::Stage::reply, names, known);
  asked.bytes = &bytes;
  fault::Verdict verdict = context.role().faults().consult(asked);
  if (!verdict) co_return Fate::go_on;
  if (context.connection().watched()) context.request().remark("fault: " + verdict.rule);
  if (verdict.changed) context.request().replace_results(std::move(bytes));
  co_return co_await carry_out(context, std::move(verdict));
}

std::vector<std::string_view> read_names(xdr::Decoder args, uint32_t count) {
  std::vector<std::string_view> names;
  while (names.size() < count) {
    uint32_t number = 0;
    if (!args.u32(number)) break;
    const nfs::OpInfo* info = nfs::find_op(number);
    if (info == nullptr) break;
    names.push_back(info->name);
    void* scratch = args.arena().allocate(info->args->bytes);
    std::memset(scratch, 0, info->args->bytes);
    if (!info->args->decode(args, scratch)) break;
  }
  return names;
}

}  // namespace pnfs::compound
