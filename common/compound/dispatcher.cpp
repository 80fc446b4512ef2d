#include "common/compound/dispatcher.hpp"

#include <boost/system/system_error.hpp>

#include "common/base/utf8.hpp"
#include "common/compound/allowed_errors.hpp"
#include "common/compound/reply_size.hpp"
#include "common/compound/step.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::compound {

using nfs::fail;

namespace {

// The operations that may stand in a COMPOUND without SEQUENCE, and then alone (RFC 8881 2.10.2.2, 18.34 to 18.37,
// 18.46.3, 18.50.3).
bool stands_alone(nfs::nfs_opnum4 op) {
  switch (op) {
    case nfs::OP_BIND_CONN_TO_SESSION:
    case nfs::OP_EXCHANGE_ID:
    case nfs::OP_CREATE_SESSION:
    case nfs::OP_DESTROY_SESSION:
    case nfs::OP_DESTROY_CLIENTID:
      return true;
    default:
      return false;
  }
}

}  // namespace

// tag, minorversion, count. What cannot be read so far is no COMPOUND: GARBAGE_ARGS.
bool CompoundRun::read_head() {
  if (const nfs::Status admitted = role_.admit(c_); !admitted) {
    trace_refused(c_, "AUTH_TOOWEAK", admitted.reason, admitted.section);
    request_.reply_auth_error(rpc::AUTH_TOOWEAK);
    return false;
  }
  nfs::CompoundArgsHead head;
  if (!xdr::decode(args_, head) || (head.argarray_count == 0 && args_.left() != 0)) {
    const std::string why = args_.ok() ? "bytes after a COMPOUND without operations" : std::string(args_.problem());
    trace_refused(c_, "GARBAGE_ARGS", why, "16.2.3");
    request_.reply_error(rpc::GARBAGE_ARGS);
    return false;
  }
  c_.tag = head.tag.text;
  c_.minorversion = head.minorversion;
  c_.op_count = head.argarray_count;

  out_ = &request_.begin_reply();
  out_begin_ = out_->size();
  status_slot_ = out_->reserve_u32();
  xdr::encode(*out_, head.tag);
  count_slot_ = out_->reserve_u32();
  nfs::Status status;
  if (head.minorversion != 1) {
    status =
        fail(nfs::NFS4ERR_MINOR_VERS_MISMATCH, "16.2.3", "minor version {} is not offered, 1 is", head.minorversion);
  } else if (!is_utf8(c_.tag)) {
    status = fail(nfs::NFS4ERR_INVAL, "14.5", "the tag is not UTF-8");
  }
  if (status) return true;
  finish_head(status.status, 0);
  trace_refused(c_, nfs::status_name(status.status), status.reason, status.section);
  return false;
}

void CompoundRun::finish_head(nfs::nfsstat4 status, uint32_t results) {
  xdr::Encoder::patch(status_slot_, status);
  xdr::Encoder::patch(count_slot_, results);
}

bool CompoundRun::begin() {
  c_.call = role_.next_call();
  if (!read_head()) return true;
  over_ = c_.op_count == 0;
  if (over_) finish_head(status_, results_);
  faulty_ = faults(fault::Stage::before) || faults(fault::Stage::after) || faults(fault::Stage::reply);
  if (faulty_) {
    names_ = read_names(args_, c_.op_count);
    return false;
  }
  while (!over_) {
    open_step();
    if (invoke()) return false;
    close_step();
  }
  if (c_.replayed()) return true;
  if (c_.durable_ticket() != 0 && !role_.is_durable(c_.durable_ticket())) return false;
  leave_slot();
  return true;
}

io::Task<void> CompoundRun::rest() {
  while (!over_) {
    if (!pending_) {
      open_step();
      const bool on = co_await go_on(fault::Stage::before);
      if (!on) co_return;
      invoke();
    }
    if (pending_) {
      step_.status = co_await wait(std::move(*pending_));
      pending_.reset();
      settle();
    }
    const bool on = co_await go_on(fault::Stage::after);
    if (!on) co_return;
    close_step();
  }
  if (c_.replayed()) co_return;
  if (c_.durable_ticket() != 0) co_await make_durable();
  leave_slot();
  if (faulty_ && faults(fault::Stage::reply)) {
    const Fate fate = co_await consult_reply(c_, step_, names_);
    if (fate != Fate::go_on) request_.drop();
  }
}

void CompoundRun::open_step() {
  step_ = Step{};
  good_ = next();
}

// Calls the operation, unless it cannot be. A bug in one operation is that request's misfortune, not the server's end.
bool CompoundRun::invoke() {
  if (!good_ || !step_.run) return false;
  try {
    Answer answer = step_.operation->run(c_, step_.args, step_.result);
    pending_ = std::move(answer.rest);
    if (pending_) return true;
    step_.status = std::move(answer.status);
  } catch (const std::exception& e) {
    step_.status = failed(e.what());
  }
  settle();
  return false;
}

io::Task<nfs::Status> CompoundRun::wait(io::Task<nfs::Status> rest) {
  try {
    co_return co_await std::move(rest);
  } catch (const boost::system::system_error& e) {
    if (e.code() == boost::asio::error::operation_aborted) throw;
    co_return failed(e.what());
  } catch (const std::exception& e) {
    co_return failed(e.what());
  }
}

nfs::Status CompoundRun::failed(const char* what) const {
  return fail(nfs::NFS4ERR_SERVERFAULT, "15.1.1.6", "{} ended with an exception: {}", step_.info->name, what);
}

void CompoundRun::settle() {
  if (!step_.status) step_.status = keep_to_table(*step_.info, std::move(step_.status));
  nfs::OpInfo::set_status(step_.result, step_.status.status);
}

// Its answer goes into the reply; then it is the next one's turn.
void CompoundRun::close_step() {
  if (c_.replayed()) {
    trace_step(c_, step_);
    request_.reply_encoded(c_.replayed());
    over_ = true;
    return;
  }
  encode();
  step_.ended = role_.now();
  counters_.count(step_.number, step_.status.status, c_.trace.bytes.value_or(0), *step_.ended - step_.began);
  trace_step(c_, step_);
  status_ = step_.status.status;
  over_ = status_ != nfs::NFS4_OK || c_.op_index + 1 == c_.op_count;
  if (over_) {
    finish_head(status_, results_);
  } else {
    ++c_.op_index;
  }
}

// What fault rules say to the operation in hand. False: there will be no reply.
io::Task<bool> CompoundRun::go_on(fault::Stage stage) {
  const bool asked = good_ || (stage == fault::Stage::before && step_.not_offered);
  if (!faulty_ || !asked || !faults(stage)) co_return true;
  const Fate fate = co_await consult(c_, step_, stage, names_);
  if (fate == Fate::go_on) co_return true;
  release_slot();
  trace_step(c_, step_);
  request_.drop();
  co_return false;
}

// Reads the next operation. false: `step_` carries the error and nothing is to be run.
bool CompoundRun::next() {
  Step& step = step_;
  step.began = role_.now();
  c_.trace = {};
  uint32_t number = 0;
  const bool readable = args_.u32(number);
  choose(number);
  if (!readable) {
    step.status = fail(nfs::NFS4ERR_BADXDR, "15.1.1.1", "the request ends before operation {} of {}", c_.op_index + 1,
                       c_.op_count);
  } else if (step.info->number == nfs::OP_ILLEGAL) {
    step.status = fail(nfs::NFS4ERR_OP_ILLEGAL, "15.1.3.4", "{} is no operation of minor version 1", number);
    step.not_offered = true;
  } else if (step.info->retired) {
    step.status = fail(nfs::NFS4ERR_NOTSUPP, "18.52", "{} belongs to NFSv4.0", step.info->name);
    step.not_offered = true;
  } else {
    step.status = may_stand_here();
    if (step.status && !step.operation->built()) {
      step.status = fail(nfs::NFS4ERR_NOTSUPP, "15.1.1.5", "{} is not offered by this server", step.info->name);
      step.not_offered = true;
    }
    if (step.status) step.status = decode();
    if (step.status) step.status = fits();
  }
  if (!step.status) step.status = keep_to_table(*step.info, std::move(step.status));
  nfs::OpInfo::set_status(step.result, step.status.status);
  step.run = step.status.ok();
  if (step.run && (!names_.empty() || role_.trace().enabled(trace::Kind::op))) {
    describe_args(step, c_.trace);
    role_.describe_current(c_, c_.trace);
  }
  return step.run;
}

void CompoundRun::choose(uint32_t number) {
  Step& step = step_;
  step.info = OpTableBase::known(number) ? nfs::find_op(number) : nullptr;
  if (step.info == nullptr) step.info = nfs::find_op(nfs::OP_ILLEGAL);
  step.number = static_cast<nfs::nfs_opnum4>(step.info->number);
  if (OpTableBase::known(step.info->number)) step.operation = &role_.ops().find(step.number);
  if (step.operation != nullptr && step.operation->built()) {
    step.result = step.operation->make_result(c_.arena());
  } else {
    step.result = c_.arena().allocate(step.info->res->bytes);
    std::memset(step.result, 0, step.info->res->bytes);
  }
  c_.op = step.number;
}

nfs::Status CompoundRun::may_stand_here() const {
  const Step& step = step_;
  if (c_.op_index > 0) {
    if (step.number == nfs::OP_SEQUENCE) {
      return fail(nfs::NFS4ERR_SEQUENCE_POS, "18.46.3", "SEQUENCE in place {}, it must be first", c_.op_index + 1);
    }
    if (step.number == nfs::OP_BIND_CONN_TO_SESSION) {
      return fail(nfs::NFS4ERR_NOT_ONLY_OP, "18.34.3", "BIND_CONN_TO_SESSION must be the only operation");
    }
    return {};
  }
  if (step.number == nfs::OP_SEQUENCE) return {};
  if (!stands_alone(step.number)) {
    return fail(nfs::NFS4ERR_OP_NOT_IN_SESSION, "18.46.3", "{} without SEQUENCE before it", step.info->name);
  }
  if (c_.op_count > 1) {
    return fail(nfs::NFS4ERR_NOT_ONLY_OP, "2.10.2.2", "{} without SEQUENCE must be the only operation, there are {}",
                step.info->name, c_.op_count);
  }
  return {};
}

nfs::Status CompoundRun::decode() {
  Step& step = step_;
  step.args = step.operation->make_args(c_.arena());
  if (!step.info->args->decode(args_, step.args)) {
    return fail(nfs::NFS4ERR_BADXDR, "15.1.1.1", "{} at offset {} of the arguments", args_.problem(), args_.offset());
  }
  if (c_.op_index + 1 == c_.op_count && args_.left() != 0) {
    return fail(nfs::NFS4ERR_BADXDR, "15.1.1.1", "{} bytes after the last operation", args_.left());
  }
  if (c_.op_index == 1 && c_.replay_uncached) {
    return fail(nfs::NFS4ERR_RETRY_UNCACHED_REP, "2.10.6.1.3", "this request ran before and its reply was not kept");
  }
  return {};
}

// An effect that cannot be taken back is not brought about when its answer would not fit.
nfs::Status CompoundRun::fits() const {
  const size_t used = reply_bytes();
  c_.set_encoded_bytes(used);
  const size_t least = least_result_bytes(step_.number);
  if (least == 0 || !c_.in_session() || used + 8 + least <= c_.reply_limit()) return {};
  return fail(c_.cache_this() ? nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE : nfs::NFS4ERR_REP_TOO_BIG, "2.10.6.4",
              "{} bytes of reply so far and at least {} more, the limit is {}", used, least + 8, c_.reply_limit());
}

void CompoundRun::encode() {
  Step& step = step_;
  const xdr::Encoder::Mark before = out_->mark();
  if (results_ == 1) undo_ = {before, step.number, 1};
  if (results_ == 0 && step.number != nfs::OP_SEQUENCE) undo_ = {before, step.number, 0};
  out_->u32(step.number);
  step.info->res->encode(*out_, step.result);
  ++results_;
  if (c_.op_index > 0 && c_.in_session() && reply_bytes() > c_.reply_limit()) too_large(before);
}

void CompoundRun::too_large(const xdr::Encoder::Mark& before) {
  Step& step = step_;
  const size_t bytes = reply_bytes();
  out_->rollback(before);
  // Not kept to the table: 2.10.6.4 has any operation answer so, GETFH and ILLEGAL too, whose rows in 15.2 lack it.
  step.status = fail(c_.cache_this() ? nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE : nfs::NFS4ERR_REP_TOO_BIG, "2.10.6.4",
                     "with this result the reply has {} bytes, the limit is {}", bytes, c_.reply_limit());
  out_->u32(step.number);
  // The bare status: a result that carries more with an error would only be larger.
  out_->u32(step.status.status);
  if (step.number == nfs::OP_SETATTR) out_->u32(0);
}

// What the reply claims must be on the volume before it leaves. If that failed, the claim is withdrawn.
io::Task<void> CompoundRun::make_durable() {
  nfs::Status status = co_await role_.before_reply(c_);
  if (status) co_return;
  Step failed = step_;
  failed.status = std::move(status);
  failed.args = nullptr;
  failed.ended.reset();
  if (undo_.mark) {
    out_->rollback(*undo_.mark);
    const nfs::OpInfo* info = nfs::find_op(undo_.op);
    failed.status = nearest_valid(*info, std::move(failed.status));
    void* result = c_.arena().allocate(info->res->bytes);
    std::memset(result, 0, info->res->bytes);
    nfs::OpInfo::set_status(result, failed.status.status);
    out_->u32(undo_.op);
    info->res->encode(*out_, result);
    results_ = undo_.results + 1;
    failed.info = info;
    failed.result = result;
  }
  status_ = failed.status.status;
  finish_head(status_, results_);
  trace_step(c_, failed);
}

void CompoundRun::leave_slot() {
  if (c_.slot_open()) {
    const session::RequestName& name = c_.name();
    std::vector<std::byte> kept;
    if (c_.cache_this()) kept = request_.copy_results();
    role_.sessions().finish(name.session, name.slot, name.sequence, kept, c_.cache_this(), role_.now());
  }
  if (c_.drop_reply) request_.drop();
}

// The request ends without an answer while its slot is taken: the slot must not stay busy for ever.
void CompoundRun::release_slot() {
  if (!c_.slot_open()) return;
  const session::RequestName& name = c_.name();
  role_.sessions().finish(name.session, name.slot, name.sequence, {}, false, role_.now());
}

}  // namespace pnfs::compound
