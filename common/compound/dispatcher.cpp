#include "common/compound/dispatcher.hpp"

#include <boost/system/system_error.hpp>

#include "common/base/utf8.hpp"
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

class Runner {
 public:
  explicit Runner(Context& context)
      : c_(context), role_(context.role()), request_(context.request()), args_(request_.args()) {}

  io::Task<void> run();

 private:
  bool read_head();
  bool next(Step& step);
  void choose(Step& step, uint32_t number);
  nfs::Status may_stand_here(const Step& step) const;
  nfs::Status decode(Step& step);
  nfs::Status fits(const Step& step) const;
  io::Task<nfs::Status> execute(Step& step);
  void encode(Step& step);
  void too_large(Step& step, const xdr::Encoder::Mark& before);
  void finish_head(nfs::nfsstat4 status, uint32_t results);
  io::Task<void> make_durable(const Step& last);
  io::Task<void> leave(const Step& last);
  void release_slot();
  bool faults(fault::Stage stage) const { return role_.faults().active(fault::Domain::operation, stage); }
  size_t reply_bytes() const { return rpc::kSuccessHeaderBytes + out_->size() - out_begin_; }

  Context& c_;
  Role& role_;
  rpc::Request& request_;
  xdr::Decoder& args_;
  xdr::Encoder* out_ = nullptr;
  size_t out_begin_ = 0;
  xdr::Encoder::Slot status_slot_ = nullptr;
  xdr::Encoder::Slot count_slot_ = nullptr;
  std::vector<std::string_view> names_;  // only for fault rules
  nfs::nfsstat4 status_ = nfs::NFS4_OK;
  uint32_t results_ = 0;
  struct Undo {  // where the results after SEQUENCE begin
    std::optional<xdr::Encoder::Mark> mark;
    nfs::nfs_opnum4 op = nfs::OP_ILLEGAL;
    uint32_t results = 0;
  } undo_;
};

// tag, minorversion, count. What cannot be read so far is no COMPOUND: GARBAGE_ARGS.
bool Runner::read_head() {
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

void Runner::finish_head(nfs::nfsstat4 status, uint32_t results) {
  xdr::Encoder::patch(status_slot_, status);
  xdr::Encoder::patch(count_slot_, results);
}

io::Task<void> Runner::run() {
  c_.call = role_.next_call();
  if (!read_head()) co_return;
  if (faults(fault::Stage::before) || faults(fault::Stage::after) || faults(fault::Stage::reply)) {
    names_ = read_names(args_, c_.op_count);
  }
  Step step;
  for (uint32_t i = 0; i < c_.op_count; ++i) {
    c_.op_index = i;
    const bool good = next(step);
    if (good && faults(fault::Stage::before)) {
      const Fate fate = co_await consult(c_, step, fault::Stage::before, names_);
      if (fate != Fate::go_on) {
        release_slot();
        trace_step(c_, step);
        request_.drop();
        co_return;
      }
    }
    if (good && step.run) {
      if (step.operation->run != nullptr) {
        step.status = step.operation->run(c_, step.args, step.result);
      } else {
        step.status = co_await execute(step);
      }
      nfs::OpInfo::set_status(step.result, step.status.status);
    }
    if (good && faults(fault::Stage::after)) {
      const Fate fate = co_await consult(c_, step, fault::Stage::after, names_);
      if (fate != Fate::go_on) {
        release_slot();
        trace_step(c_, step);
        request_.drop();
        co_return;
      }
    }
    if (c_.replayed()) {
      trace_step(c_, step);
      request_.reply_encoded(c_.replayed());
      co_return;
    }
    encode(step);
    trace_step(c_, step);
    status_ = step.status.status;
    if (status_ != nfs::NFS4_OK) break;
  }
  finish_head(status_, results_);
  if (c_.durable_ticket() != 0) co_await make_durable(step);
  co_await leave(step);
}

// Reads the next operation. false: `step` carries the error and nothing is to be run.
bool Runner::next(Step& step) {
  step = Step{};
  step.began = role_.now();
  step.wall = role_.timers().clock().wall();
  c_.trace = {};
  uint32_t number = 0;
  const bool readable = args_.u32(number);
  choose(step, number);
  if (!readable) {
    step.status = fail(nfs::NFS4ERR_BADXDR, "15.1.1.1", "the request ends before operation {} of {}", c_.op_index + 1,
                       c_.op_count);
  } else if (step.info->number == nfs::OP_ILLEGAL) {
    step.status = fail(nfs::NFS4ERR_OP_ILLEGAL, "15.1.3.4", "{} is no operation of minor version 1", number);
  } else if (step.info->retired) {
    step.status = fail(nfs::NFS4ERR_NOTSUPP, "18.52", "{} belongs to NFSv4.0", step.info->name);
  } else {
    step.status = may_stand_here(step);
    if (step.status && !step.operation->built()) {
      step.status = fail(nfs::NFS4ERR_NOTSUPP, "15.1.1.5", "{} is not offered by this server", step.info->name);
    }
    if (step.status) step.status = decode(step);
    if (step.status) step.status = fits(step);
  }
  nfs::OpInfo::set_status(step.result, step.status.status);
  step.run = step.status.ok();
  if (step.run && (!names_.empty() || role_.trace().enabled(trace::Kind::op))) {
    describe_args(step, c_.trace);
    role_.describe_current(c_, c_.trace);
  }
  return step.run;
}

void Runner::choose(Step& step, uint32_t number) {
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

nfs::Status Runner::may_stand_here(const Step& step) const {
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

nfs::Status Runner::decode(Step& step) {
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
nfs::Status Runner::fits(const Step& step) const {
  const size_t used = reply_bytes();
  c_.set_encoded_bytes(used);
  const size_t least = least_result_bytes(step.number);
  if (least == 0 || !c_.in_session() || used + 8 + least <= c_.reply_limit()) return {};
  return fail(c_.cache_this() ? nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE : nfs::NFS4ERR_REP_TOO_BIG, "2.10.6.4",
              "{} bytes of reply so far and at least {} more, the limit is {}", used, least + 8, c_.reply_limit());
}

// A bug in one operation is that request's misfortune, not the server's end.
io::Task<nfs::Status> Runner::execute(Step& step) {
  try {
    co_return co_await step.operation->run_async(c_, step.args, step.result);
  } catch (const boost::system::system_error& e) {
    if (e.code() == boost::asio::error::operation_aborted) throw;
    co_return fail(nfs::NFS4ERR_SERVERFAULT, "15.1.1.6", "{} ended with an exception: {}", step.info->name, e.what());
  } catch (const std::exception& e) {
    co_return fail(nfs::NFS4ERR_SERVERFAULT, "15.1.1.6", "{} ended with an exception: {}", step.info->name, e.what());
  }
}

void Runner::encode(Step& step) {
  const xdr::Encoder::Mark before = out_->mark();
  if (results_ == 1) undo_ = {before, step.number, 1};
  if (results_ == 0 && step.number != nfs::OP_SEQUENCE) undo_ = {before, step.number, 0};
  out_->u32(step.number);
  step.info->res->encode(*out_, step.result);
  ++results_;
  if (c_.op_index > 0 && c_.in_session() && reply_bytes() > c_.reply_limit()) too_large(step, before);
}

void Runner::too_large(Step& step, const xdr::Encoder::Mark& before) {
  const size_t bytes = reply_bytes();
  out_->rollback(before);
  step.status = fail(c_.cache_this() ? nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE : nfs::NFS4ERR_REP_TOO_BIG, "2.10.6.4",
                     "with this result the reply has {} bytes, the limit is {}", bytes, c_.reply_limit());
  out_->u32(step.number);
  // The bare status: a result that carries more with an error would only be larger.
  out_->u32(step.status.status);
  if (step.number == nfs::OP_SETATTR) out_->u32(0);
}

// What the reply claims must be on the volume before it leaves. If that failed, the claim is withdrawn.
io::Task<void> Runner::make_durable(const Step& last) {
  nfs::Status status = co_await role_.before_reply(c_);
  if (status) co_return;
  Step failed = last;
  failed.status = std::move(status);
  failed.args = nullptr;
  if (undo_.mark) {
    out_->rollback(*undo_.mark);
    const nfs::OpInfo* info = nfs::find_op(undo_.op);
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

io::Task<void> Runner::leave(const Step& last) {
  if (c_.slot_open()) {
    const session::RequestName& name = c_.name();
    std::vector<std::byte> kept;
    if (c_.cache_this()) kept = request_.copy_results();
    role_.sessions().finish(name.session, name.slot, name.sequence, kept, c_.cache_this(), role_.now());
  }
  if (faults(fault::Stage::reply) && co_await consult_reply(c_, last, names_) != Fate::go_on) c_.drop_reply = true;
  if (c_.drop_reply) request_.drop();
}

// The request ends without an answer while its slot is taken: the slot must not stay busy for ever.
void Runner::release_slot() {
  if (!c_.slot_open()) return;
  const session::RequestName& name = c_.name();
  role_.sessions().finish(name.session, name.slot, name.sequence, {}, false, role_.now());
}

}  // namespace

io::Task<void> run_compound(Context& context) {
  Runner runner(context);
  co_await runner.run();
}

}  // namespace pnfs::compound
