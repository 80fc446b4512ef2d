#include "testbed/client/compound.hpp"

#include "common/nfs/op_info.hpp"

namespace pnfs::client {

using namespace nfs;

std::string to_string(const Failure& failure) {
  if (failure.status == NFS4_OK) return failure.transport.reason;
  return fmt::format("{}: {}", op_name(failure.op), status_name(failure.status));
}

std::shared_ptr<Compound> Compound::in_session(std::string_view tag, uint32_t minorversion) {
  return std::make_shared<Compound>(tag, minorversion, true);
}

std::shared_ptr<Compound> Compound::bare(std::string_view tag, uint32_t minorversion) {
  return std::make_shared<Compound>(tag, minorversion, false);
}

Compound::Compound(std::string_view tag, uint32_t minorversion, bool with_sequence)
    : encoder_(arena_), with_sequence_(with_sequence) {
  encoder_.variable(std::as_bytes(std::span(tag)));
  encoder_.u32(minorversion);
  count_slot_ = encoder_.reserve_u32();
  if (!with_sequence) return;
  begin(OP_SEQUENCE);
  for (auto& slot : sequence_) slot = encoder_.reserve_u32();
}

void Compound::begin(uint32_t op) {
  encoder_.u32(op);
  ++count_;
  xdr::Encoder::patch(count_slot_, count_);
}

Compound& Compound::putfh(std::span<const std::byte> fh) {
  return add(OP_PUTFH, PUTFH4args{{fh}});
}

Compound& Compound::raw(uint32_t op, std::span<const std::byte> encoded) {
  begin(op);
  encoder_.raw(encoded);
  return *this;
}

void Compound::set_sequence(const SEQUENCE4args& args) {
  std::memcpy(sequence_[0], args.sa_sessionid.bytes.data(), 4);
  std::memcpy(sequence_[1], args.sa_sessionid.bytes.data() + 4, 4);
  std::memcpy(sequence_[2], args.sa_sessionid.bytes.data() + 8, 4);
  std::memcpy(sequence_[3], args.sa_sessionid.bytes.data() + 12, 4);
  xdr::Encoder::patch(sequence_[4], args.sa_sequenceid);
  xdr::Encoder::patch(sequence_[5], args.sa_slotid);
  xdr::Encoder::patch(sequence_[6], args.sa_highest_slotid);
  xdr::Encoder::patch(sequence_[7], args.sa_cachethis ? 1 : 0);
}

std::unique_ptr<rpc::Call> Compound::make_call(const std::shared_ptr<Compound>& compound,
                                               const rpc::Credential& credential) {
  auto call = std::make_unique<rpc::Call>(NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential);
  for (const auto piece : compound->encoder_.pieces()) {
    // A large piece is referenced; one that is padded in the piece after it cannot be, fixed() would pad it again.
    if (piece.size() >= xdr::Encoder::kReferenceBytes && piece.size() % 4 == 0) {
      call->args().fixed(piece);
    } else {
      call->args().raw(piece);
    }
  }
  call->hold(compound);
  return call;
}

CompoundReply::CompoundReply(std::unique_ptr<rpc::Reply> reply) : reply_(std::move(reply)) {
  if (!xdr::decode(reply_->results(), head_))
    failure_ = Failure{NFS4_OK, OP_ILLEGAL, error(Errc::protocol, "the reply's head: {}", reply_->results().problem())};
}

bool CompoundReply::begin(nfs_opnum4 op) {
  if (failure_) return false;
  if (taken_ == head_.resarray_count) {
    // A compound that fails before its first operation (minor version, tag, count) has a status and no results.
    failure_ = Failure{head_.status, op, error(Errc::protocol, "the reply ends before {}", op_name(op))};
    return false;
  }
  uint32_t number = 0;
  if (!reply_->results().u32(number)) return malformed(op), false;
  ++taken_;
  if (number == op) return true;
  if (number == OP_ILLEGAL) {
    uint32_t status = 0;
    reply_->results().u32(status);
    failure_ = Failure{static_cast<nfsstat4>(status), op, {}};
    return false;
  }
  failure_ =
      Failure{NFS4_OK, op, error(Errc::protocol, "the reply has {} where {} was asked", op_name(number), op_name(op))};
  return false;
}

void CompoundReply::malformed(nfs_opnum4 op) {
  failure_ =
      Failure{NFS4_OK, op, error(Errc::protocol, "the result of {}: {}", op_name(op), reply_->results().problem())};
}

void CompoundReply::check(nfs_opnum4 op, nfsstat4 status) {
  if (status != NFS4_OK) failure_ = Failure{status, op, {}};
}

void CompoundReply::ok(nfs_opnum4 op) {
  get<PUTFH4res>(op);
}

xdr::FieldView CompoundReply::view(nfs_opnum4 op) {
  const OpInfo* info = find_op(op);
  if (info == nullptr || !begin(op)) return {};
  void* res = reply_->arena().allocate(info->res->bytes);
  std::memset(res, 0, info->res->bytes);
  if (!info->res->decode(reply_->results(), res)) return malformed(op), xdr::FieldView{};
  check(op, OpInfo::status_of(res));
  return {*info->res, res};
}

}  // namespace pnfs::client
