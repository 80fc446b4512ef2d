// CREATE_SESSION (RFC 8881 18.36): confirms a client id with its first session.
//
// Errors:
//   NFS4ERR_INVAL           an unknown bit in csa_flags
//   NFS4ERR_STALE_CLIENTID  no record has this client id
//   NFS4ERR_SEQ_MISORDERED  csa_sequence is neither the last (a retry, answered again) nor the next
//   NFS4ERR_CLID_INUSE      another principal than EXCHANGE_ID's confirms
//   NFS4ERR_TOOSMALL        a channel could carry nothing
//   NFS4ERR_NOENT           only RPCSEC_GSS handles for callbacks
//   NFS4ERR_NOSPC           limits of sessions or of the reply cache
#include "common/compound/ops/callback_security.hpp"
#include "common/compound/ops/connections.hpp"
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

using nfs::fail;

namespace {

constexpr uint32_t kKnownCreateSessionFlags =
    nfs::CREATE_SESSION4_FLAG_PERSIST | nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN | nfs::CREATE_SESSION4_FLAG_CONN_RDMA;

session::ChannelAttrs from_wire(const nfs::channel_attrs4& attrs) {
  return {attrs.ca_headerpadsize,          attrs.ca_maxrequestsize, attrs.ca_maxresponsesize,
          attrs.ca_maxresponsesize_cached, attrs.ca_maxoperations,  attrs.ca_maxrequests};
}

nfs::channel_attrs4 to_wire(const session::ChannelAttrs& attrs) {
  return {.ca_headerpadsize = attrs.header_pad_bytes,
          .ca_maxrequestsize = attrs.max_request_bytes,
          .ca_maxresponsesize = attrs.max_response_bytes,
          .ca_maxresponsesize_cached = attrs.max_cached_bytes,
          .ca_maxoperations = attrs.max_operations,
          .ca_maxrequests = attrs.max_requests};
}

}  // namespace

nfs::Status op_create_session(Context& context, const nfs::CREATE_SESSION4args& args, nfs::CREATE_SESSION4res& res) {
  if (const uint32_t unknown = args.csa_flags & ~kKnownCreateSessionFlags; unknown != 0) {
    return fail(nfs::NFS4ERR_INVAL, "18.36.3", "csa_flags has unknown bits {:#x}", unknown);
  }
  Role& role = context.role();
  session::SessionTable& sessions = role.sessions();
  CallbackSecurityList security = read_callback_security(args.csa_sec_parms);
  auto answer = sessions.create_session({.client = args.csa_clientid,
                                         .sequence = args.csa_sequence,
                                         .flags = args.csa_flags,
                                         .principal = context.principal(),
                                         .fore = from_wire(args.csa_fore_chan_attrs),
                                         .back = from_wire(args.csa_back_chan_attrs),
                                         .back_program = args.csa_cb_program,
                                         .security = std::move(security.usable),
                                         .unusable_security = security.only_gss,
                                         .connection = context.connection_id()},
                                        role.now());
  if (!answer.created.status) return answer.created.status;
  if (answer.bound_now) watch_connection(context);
  if (answer.confirmed_now) {
    nfs::Status status = role.client_confirmed(context, *sessions.client(args.csa_clientid));
    if (!status) {  // not remembered, so not confirmed: the client begins again
      sessions.remove_client(args.csa_clientid, session::Removed::unconfirmed);
      return status;
    }
  }
  const session::Client::Created& created = answer.created;
  res.csr_resok4 = {.csr_sessionid = created.session,
                    .csr_sequence = args.csa_sequence,
                    .csr_flags = created.flags,
                    .csr_fore_chan_attrs = to_wire(created.fore),
                    .csr_back_chan_attrs = to_wire(created.back)};
  context.trace.note =
      fmt::format("session {}{}", session::to_string(created.session), answer.replayed ? ", answered again" : "");
  return {};
}

}  // namespace pnfs::compound
