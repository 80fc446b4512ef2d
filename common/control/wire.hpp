// Between the wire types of the control program and our own values, and the way a call is made.
#pragma once

#include <memory>

#include "common/control/control_prot.hpp"
#include "common/control/stripe_set.hpp"
#include "common/rpc/connection.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::control {

ctl_range to_wire(const ByteRange& range);
ByteRange from_wire(const ctl_range& range);
std::span<ctl_range> to_wire(std::span<const ByteRange> ranges, Arena& arena);
ctl_stripe_set to_wire(const StripeSet& set, Arena& arena);
// What comes from outside: check valid() before use.
StripeSet from_wire(const ctl_stripe_set& set);

std::string_view to_string(control_status status);

// An answer; views in `res` live as long as this.
template <class Res>
struct Answer {
  std::unique_ptr<rpc::Reply> reply;
  Res res;
};

// `cause`: number of the client's request at this node that leads to the call, as in the trace; 0: none. It travels as
// the stamp of an AUTH_SYS credential, which RFC 5531 14 leaves to the caller.
std::unique_ptr<rpc::Call> new_call(control_proc proc, uint64_t cause = 0);

template <class Res>
io::Task<Result<Answer<Res>>> finish_call(std::shared_ptr<rpc::Connection> connection, std::unique_ptr<rpc::Call> call,
                                          Duration timeout) {
  auto reply = co_await connection->call(std::move(call), timeout);
  if (!reply) co_return reply.error();
  Answer<Res> answer{std::move(*reply), {}};
  if (!xdr::decode(answer.reply->results(), answer.res))
    co_return error(Errc::protocol, "control reply: {}", answer.reply->results().problem());
  co_return answer;
}

// Arguments are encoded before this returns. Errors: those of rpc::Connection::call.
template <class Res, class Args>
io::Task<Result<Answer<Res>>> call(std::shared_ptr<rpc::Connection> connection, control_proc proc, const Args& args,
                                   Duration timeout, uint64_t cause = 0) {
  auto outgoing = new_call(proc, cause);
  xdr::encode(outgoing->args(), args);
  return finish_call<Res>(std::move(connection), std::move(outgoing), timeout);
}

}  // namespace pnfs::control
