// Security information in operations (RFC 8881 18.29, 18.33, 18.45).
#pragma once

#include "common/nfs/basic.hpp"

namespace pnfs::nfs {

// RPC authentication flavours (RFC 5531 8.2, RFC 2203). Not named AUTH_SYS and so on: system headers define those as
// macros.
inline constexpr uint32_t kFlavorNone = 0;
inline constexpr uint32_t kFlavorSys = 1;
inline constexpr uint32_t kFlavorGss = 6;

PNFS_XDR_ENUM(rpc_gss_svc_t, (RPC_GSS_SVC_NONE, 1), (RPC_GSS_SVC_INTEGRITY, 2), (RPC_GSS_SVC_PRIVACY, 3))

struct rpcsec_gss_info {
  sec_oid4 oid;
  qop4 qop = 0;
  rpc_gss_svc_t service = RPC_GSS_SVC_NONE;
  PNFS_XDR(rpcsec_gss_info, oid, qop, service)
};

struct secinfo4 {
  uint32_t flavor = 0;
  rpcsec_gss_info flavor_info;
  PNFS_XDR_UNION(secinfo4, flavor, PNFS_ARM(kFlavorGss, flavor_info), PNFS_DEFAULT_VOID())
};

struct authsys_parms {  // RFC 5531 appendix A
  uint32_t stamp = 0;
  String<255> machinename;
  uint32_t uid = 0;
  uint32_t gid = 0;
  Array<uint32_t, 16> gids;
  PNFS_XDR(authsys_parms, stamp, machinename, uid, gid, gids)
};

using gsshandle4_t = Opaque<>;

struct gss_cb_handles4 {
  rpc_gss_svc_t gcbp_service = RPC_GSS_SVC_NONE;
  gsshandle4_t gcbp_handle_from_server;
  gsshandle4_t gcbp_handle_from_client;
  PNFS_XDR(gss_cb_handles4, gcbp_service, gcbp_handle_from_server, gcbp_handle_from_client)
};

struct callback_sec_parms4 {
  uint32_t cb_secflavor = 0;
  authsys_parms cbsp_sys_cred;
  gss_cb_handles4 cbsp_gss_handles;
  PNFS_XDR_UNION(callback_sec_parms4, cb_secflavor, PNFS_VOID_ARM(kFlavorNone), PNFS_ARM(kFlavorSys, cbsp_sys_cred),
                 PNFS_ARM(kFlavorGss, cbsp_gss_handles))
};

struct SECINFO4args {
  component4 name;
  PNFS_XDR(SECINFO4args, name)
};
using SECINFO4resok = Array<secinfo4>;
struct SECINFO4res {
  nfsstat4 status = NFS4_OK;
  SECINFO4resok resok4;
  PNFS_XDR_UNION(SECINFO4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

PNFS_XDR_ENUM(secinfo_style4, (SECINFO_STYLE4_CURRENT_FH, 0), (SECINFO_STYLE4_PARENT, 1))
using SECINFO_NO_NAME4args = secinfo_style4;
using SECINFO_NO_NAME4res = SECINFO4res;

struct BACKCHANNEL_CTL4args {
  uint32_t bca_cb_program = 0;
  Array<callback_sec_parms4> bca_sec_parms;
  PNFS_XDR(BACKCHANNEL_CTL4args, bca_cb_program, bca_sec_parms)
};
struct BACKCHANNEL_CTL4res {
  nfsstat4 bcr_status = NFS4_OK;
  PNFS_XDR(BACKCHANNEL_CTL4res, bcr_status)
};

}  // namespace pnfs::nfs
