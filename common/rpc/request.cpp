#include "common/rpc/request.hpp"

namespace pnfs::rpc {

Request::Request(std::shared_ptr<Connection> from, Buffer record, size_t record_bytes)
    : connection_(std::move(from)),
      record_(std::move(record)),
      record_bytes_(record_bytes),
      args_({record_.data(), record_bytes_}, arena_) {}

Result<void> Request::parse() {
  auto header = decode_call(args_);
  if (!header) return header.error();
  header_ = *header;
  args_offset_ = args_.offset();
  return {};
}

xdr::Encoder& Request::begin(const ReplyHeader& header) {
  dropped_ = false;
  encoder_ = std::make_unique<xdr::Encoder>(arena_);
  mark_ = encoder_->reserve_u32();
  encode_reply(*encoder_, header);
  results_offset_ = encoder_->size();
  return *encoder_;
}

xdr::Encoder& Request::begin_reply() {
  return begin({.xid = xid()});
}

void Request::reply_encoded(std::shared_ptr<const std::vector<std::byte>> results) {
  begin_reply().fixed(*results);
  hold(std::move(results));
}

void Request::reply_error(accept_stat status) {
  begin({.xid = xid(), .status = status});
}

void Request::reply_version_mismatch(uint32_t low, uint32_t high) {
  begin({.xid = xid(), .status = PROG_MISMATCH, .low = low, .high = high});
}

void Request::reply_auth_error(auth_stat why) {
  begin({.xid = xid(), .accepted = false, .auth_status = why});
}

void Request::reply_rpc_mismatch() {
  begin({.xid = xid(), .accepted = false, .rpc_mismatch = true, .low = 2, .high = 2});
}

void Request::drop() {
  encoder_.reset();
  dropped_ = true;
}

std::vector<std::byte> Request::copy_results() {
  if (!encoder_) return {};
  auto all = encoder_->flatten();
  all.erase(all.begin(), all.begin() + static_cast<ptrdiff_t>(results_offset_));
  return all;
}

void Request::replace_results(std::vector<std::byte> results) {
  reply_encoded(std::make_shared<const std::vector<std::byte>>(std::move(results)));
}

std::span<const std::span<const std::byte>> Request::finish() {
  xdr::Encoder::patch(mark_, kLastFragment | static_cast<uint32_t>(encoder_->size() - 4));
  return encoder_->pieces();
}

}  // namespace pnfs::rpc
