// BACKCHANNEL_CTL (RFC 8881 18.33): another program number and other credentials for this session's callbacks.
//
// Errors:
//   NFS4ERR_NOENT  an RPCSEC_GSS handle, which this server never made
//   NFS4ERR_INVAL  the session went while the request ran
#include "common/compound/ops/callback_security.hpp"
#include "common/compound/ops/shared_ops.hpp"

namespace pnfs::compound {

nfs::Status op_backchannel_ctl(Context& context, const nfs::BACKCHANNEL_CTL4args& args, nfs::BACKCHANNEL_CTL4res&) {
  CallbackSecurityList security = read_callback_security(args.bca_sec_parms);
  if (security.has_gss) {
    return nfs::fail(nfs::NFS4ERR_NOENT, "18.33.3",
                     "bca_sec_parms has an RPCSEC_GSS handle, which this server never made");
  }
  session::Session* session = context.session();
  if (session == nullptr) return nfs::fail(nfs::NFS4ERR_INVAL, "18.33", "the session went while its request ran");
  session->set_backchannel(args.bca_cb_program, std::move(security.usable));
  return {};
}

}  // namespace pnfs::compound
