// SEQUENCE (RFC 8881 18.46): a request takes its slot, or is recognised as one that ran before.
//
// Errors (none of them changes the slot or renews the lease):
//   NFS4ERR_BADSESSION       no such session
//   NFS4ERR_REQ_TOO_BIG, NFS4ERR_TOO_MANY_OPS, NFS4ERR_REP_TOO_BIG, NFS4ERR_REP_TOO_BIG_TO_CACHE  limits of the session
//   NFS4ERR_BADSLOT, NFS4ERR_BAD_HIGH_SLOT  beyond the slot table
//   NFS4ERR_SEQ_MISORDERED   neither the slot's last sequence nor the next
//   NFS4ERR_SEQ_FALSE_RETRY  the last sequence with other arguments
//   NFS4ERR_DELAY            a retry of what is still being executed
//   NFS4ERR_CONN_NOT_BOUND_TO_SESSION  the session has as many connections as it may have
// (NFS4ERR_SEQUENCE_POS is the dispatcher's.)
#include "common/compound/ops/connections.hpp"
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"
#include "common/session/digest.hpp"

namespace pnfs::compound {

using session::SlotTable;

namespace {

constexpr size_t kResultBytes = 4 + 4 + 36;  // operation, status, SEQUENCE4resok

}  // namespace

nfs::Status op_sequence(Context& context, const nfs::SEQUENCE4args& args, nfs::SEQUENCE4res& res) {
  Role& role = context.role();
  const session::SequenceRequest request{
      .sequence = args.sa_sequenceid,
      .slot = args.sa_slotid,
      .highest_slot = args.sa_highest_slotid,
      .cache_this = args.sa_cachethis,
      .digest = session::request_digest(context.request().args_bytes(), context.principal())};
  const auto answer = role.sessions().sequence(args.sa_sessionid, request, context.connection_id(),
                                               {.request_bytes = context.request().record().size(),
                                                .reply_bytes = context.encoded_bytes() + kResultBytes,
                                                .operations = context.op_count},
                                               role.now());
  if (answer.verdict == SlotTable::Verdict::refuse) return answer.status;
  if (answer.bound_now) watch_connection(context);
  const session::Session& session = *answer.session;
  context.enter_session({.client = answer.client->id,
                         .name = {args.sa_sessionid, args.sa_slotid, args.sa_sequenceid},
                         .cache_this = args.sa_cachethis,
                         .max_response_bytes = session.fore().max_response_bytes,
                         .max_cached_bytes = session.fore().max_cached_bytes});
  if (answer.verdict != SlotTable::Verdict::execute) {
    context.leave_session();  // the slot is not ours
    context.trace.note = "a retry of a request that was answered before";
  }
  if (answer.verdict == SlotTable::Verdict::replay) {
    context.replay(session.slots().slot(args.sa_slotid).reply);
    return {};
  }
  context.replay_uncached = answer.verdict == SlotTable::Verdict::replay_unknown;
  res.sr_resok4 = {
      .sr_sessionid = args.sa_sessionid,
      .sr_sequenceid = args.sa_sequenceid,
      .sr_slotid = args.sa_slotid,
      .sr_highest_slotid = session.slots().highest_slot(),
      .sr_target_highest_slotid = session.slots().target_highest_slot(),
      .sr_status_flags = role.sessions().status_flags(session, *answer.client) | role.sequence_flags(*answer.client)};
  return {};
}

}  // namespace pnfs::compound
