#include "common/compound/context.hpp"

#include "common/compound/role.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::compound {

using nfs::fail;

namespace {

// Without a session nothing was negotiated; the operations allowed there have small results.
constexpr size_t kLimitWithoutSession = 1u << 20;

constexpr nfs::stateid4 kAnonymous{};

bool is_special(const nfs::stateid4& stateid) {
  const auto& other = stateid.other.bytes;
  const bool zeros = std::all_of(other.begin(), other.end(), [](std::byte b) { return b == std::byte{0}; });
  const bool ones = std::all_of(other.begin(), other.end(), [](std::byte b) { return b == std::byte{0xff}; });
  return zeros || ones;
}

}  // namespace

Context::Context(rpc::Request& request, Role& role)
    : request_(request), role_(role), reply_limit_(kLimitWithoutSession) {}

session::Principal Context::principal() const {
  const rpc::Credential& from = request_.credential();
  return {static_cast<uint32_t>(from.flavor), from.uid, from.gid};
}

session::ConnectionId Context::connection_id() const {
  return request_.connection()->id();
}

nfs::Status Context::require_current() const {
  if (current.set) return {};
  return fail(nfs::NFS4ERR_NOFILEHANDLE, "16.2.3.1.1", "no operation before this one set a current filehandle");
}

nfs::Status Context::require_saved() const {
  if (saved.set) return {};
  return fail(nfs::NFS4ERR_NOFILEHANDLE, "16.2.3.1.1", "no SAVEFH came before this operation");
}

void Context::set_current(std::span<const std::byte> fh) {
  current = Handle{.fh = {arena().copy(fh)}, .set = true, .stateid = kAnonymous};
}

void Context::set_current_stateid(const nfs::stateid4& stateid) {
  current.stateid = stateid;
  current.has_stateid = true;
}

nfs::Status Context::resolve_stateid(const nfs::stateid4& argument, nfs::stateid4& out) const {
  out = argument;
  if (argument.seqid != 1 || argument.other != kAnonymous.other) return {};
  if (!current.has_stateid || is_special(current.stateid)) {
    return fail(nfs::NFS4ERR_BAD_STATEID, "16.2.3.1.2",
                "the stateid (1, 0) stands for the current stateid, and no operation before this one set it");
  }
  out = current.stateid;
  return {};
}

session::Client* Context::client() {
  return in_session_ ? role_.sessions().client(client_id_) : nullptr;
}

session::Session* Context::session() {
  return in_session_ ? role_.sessions().session(name_.session) : nullptr;
}

size_t Context::reply_room() const {
  const size_t used = encoded_bytes_ + 8;  // and the operation's number and status
  return used < reply_limit_ ? reply_limit_ - used : 0;
}

void Context::enter_session(const SessionBinding& binding) {
  in_session_ = true;
  slot_open_ = true;
  client_id_ = binding.client;
  name_ = binding.name;
  cache_this_ = binding.cache_this;
  reply_limit_ = binding.max_response_bytes;
  if (cache_this_) reply_limit_ = std::min(reply_limit_, binding.max_cached_bytes);
}

// SEQUENCE changes it once; without a session the request has one operation.
const TraceOrigin& Context::origin(TimePoint now) {
  if (origin_ && origin_->in_session == in_session_) return *origin_;
  origin_.emplace();
  origin_->address = connection().remote_text();
  origin_->principal = arena().copy(session::to_string(principal()));
  origin_->in_session = in_session_;
  if (const session::Client* c = client()) origin_->client = arena().copy(c->owner);
  if (in_session_) origin_->session = arena().copy(session::to_string(name_.session));
  const WallTime wall = role_.timers().clock().wall();
  origin_->zero = std::chrono::seconds(wall.seconds) + std::chrono::nanoseconds(wall.nanoseconds) - now.time_since_epoch();
  return *origin_;
}

void Context::replay(std::span<const std::byte> reply) {
  replayed_ = std::make_shared<const std::vector<std::byte>>(reply.begin(), reply.end());
}

}  // namespace pnfs::compound
