// Client ids and sessions: EXCHANGE_ID, CREATE_SESSION, SEQUENCE and their kin (RFC 8881 18.34 to 18.37, 18.46, 18.47,
// 18.50, 18.51).
#pragma once

#include "common/nfs/basic.hpp"
#include "common/nfs/security.hpp"

namespace pnfs::nfs {

inline constexpr uint32_t EXCHGID4_FLAG_SUPP_MOVED_REFER = 0x00000001;
inline constexpr uint32_t EXCHGID4_FLAG_SUPP_MOVED_MIGR = 0x00000002;
inline constexpr uint32_t EXCHGID4_FLAG_BIND_PRINC_STATEID = 0x00000100;
inline constexpr uint32_t EXCHGID4_FLAG_USE_NON_PNFS = 0x00010000;
inline constexpr uint32_t EXCHGID4_FLAG_USE_PNFS_MDS = 0x00020000;
inline constexpr uint32_t EXCHGID4_FLAG_USE_PNFS_DS = 0x00040000;
inline constexpr uint32_t EXCHGID4_FLAG_MASK_PNFS = 0x00070000;
inline constexpr uint32_t EXCHGID4_FLAG_UPD_CONFIRMED_REC_A = 0x40000000;
inline constexpr uint32_t EXCHGID4_FLAG_CONFIRMED_R = 0x80000000;

inline constexpr uint32_t CREATE_SESSION4_FLAG_PERSIST = 0x00000001;
inline constexpr uint32_t CREATE_SESSION4_FLAG_CONN_BACK_CHAN = 0x00000002;
inline constexpr uint32_t CREATE_SESSION4_FLAG_CONN_RDMA = 0x00000004;

inline constexpr uint32_t SEQ4_STATUS_CB_PATH_DOWN = 0x00000001;
inline constexpr uint32_t SEQ4_STATUS_CB_GSS_CONTEXTS_EXPIRING = 0x00000002;
inline constexpr uint32_t SEQ4_STATUS_CB_GSS_CONTEXTS_EXPIRED = 0x00000004;
inline constexpr uint32_t SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED = 0x00000008;
inline constexpr uint32_t SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED = 0x00000010;
inline constexpr uint32_t SEQ4_STATUS_ADMIN_STATE_REVOKED = 0x00000020;
inline constexpr uint32_t SEQ4_STATUS_RECALLABLE_STATE_REVOKED = 0x00000040;
inline constexpr uint32_t SEQ4_STATUS_LEASE_MOVED = 0x00000080;
inline constexpr uint32_t SEQ4_STATUS_RESTART_RECLAIM_NEEDED = 0x00000100;
inline constexpr uint32_t SEQ4_STATUS_CB_PATH_DOWN_SESSION = 0x00000200;
inline constexpr uint32_t SEQ4_STATUS_BACKCHANNEL_FAULT = 0x00000400;
inline constexpr uint32_t SEQ4_STATUS_DEVID_CHANGED = 0x00000800;
inline constexpr uint32_t SEQ4_STATUS_DEVID_DELETED = 0x00001000;

struct state_protect_ops4 {
  op_bitmap4 spo_must_enforce;
  op_bitmap4 spo_must_allow;
  PNFS_XDR(state_protect_ops4, spo_must_enforce, spo_must_allow)
};

struct ssv_sp_parms4 {
  state_protect_ops4 ssp_ops;
  Array<sec_oid4> ssp_hash_algs;
  Array<sec_oid4> ssp_encr_algs;
  uint32_t ssp_window = 0;
  uint32_t ssp_num_gss_handles = 0;
  PNFS_XDR(ssv_sp_parms4, ssp_ops, ssp_hash_algs, ssp_encr_algs, ssp_window, ssp_num_gss_handles)
};

PNFS_XDR_ENUM(state_protect_how4, (SP4_NONE, 0), (SP4_MACH_CRED, 1), (SP4_SSV, 2))

struct state_protect4_a {
  state_protect_how4 spa_how = SP4_NONE;
  state_protect_ops4 spa_mach_ops;
  ssv_sp_parms4 spa_ssv_parms;
  PNFS_XDR_UNION(state_protect4_a, spa_how, PNFS_VOID_ARM(SP4_NONE), PNFS_ARM(SP4_MACH_CRED, spa_mach_ops),
                 PNFS_ARM(SP4_SSV, spa_ssv_parms))
};

struct EXCHANGE_ID4args {
  client_owner4 eia_clientowner;
  uint32_t eia_flags = 0;
  state_protect4_a eia_state_protect;
  Array<nfs_impl_id4, 1> eia_client_impl_id;
  PNFS_XDR(EXCHANGE_ID4args, eia_clientowner, eia_flags, eia_state_protect, eia_client_impl_id)
};

struct ssv_prot_info4 {
  state_protect_ops4 spi_ops;
  uint32_t spi_hash_alg = 0;
  uint32_t spi_encr_alg = 0;
  uint32_t spi_ssv_len = 0;
  uint32_t spi_window = 0;
  Array<gsshandle4_t> spi_handles;
  PNFS_XDR(ssv_prot_info4, spi_ops, spi_hash_alg, spi_encr_alg, spi_ssv_len, spi_window, spi_handles)
};

struct state_protect4_r {
  state_protect_how4 spr_how = SP4_NONE;
  state_protect_ops4 spr_mach_ops;
  ssv_prot_info4 spr_ssv_info;
  PNFS_XDR_UNION(state_protect4_r, spr_how, PNFS_VOID_ARM(SP4_NONE), PNFS_ARM(SP4_MACH_CRED, spr_mach_ops),
                 PNFS_ARM(SP4_SSV, spr_ssv_info))
};

struct EXCHANGE_ID4resok {
  clientid4 eir_clientid = 0;
  sequenceid4 eir_sequenceid = 0;
  uint32_t eir_flags = 0;
  state_protect4_r eir_state_protect;
  server_owner4 eir_server_owner;
  Opaque<NFS4_OPAQUE_LIMIT> eir_server_scope;
  Array<nfs_impl_id4, 1> eir_server_impl_id;
  PNFS_XDR(EXCHANGE_ID4resok, eir_clientid, eir_sequenceid, eir_flags, eir_state_protect, eir_server_owner,
           eir_server_scope, eir_server_impl_id)
};
struct EXCHANGE_ID4res {
  nfsstat4 eir_status = NFS4_OK;
  EXCHANGE_ID4resok eir_resok4;
  PNFS_XDR_UNION(EXCHANGE_ID4res, eir_status, PNFS_ARM(NFS4_OK, eir_resok4), PNFS_DEFAULT_VOID())
};

struct channel_attrs4 {
  count4 ca_headerpadsize = 0;
  count4 ca_maxrequestsize = 0;
  count4 ca_maxresponsesize = 0;
  count4 ca_maxresponsesize_cached = 0;
  count4 ca_maxoperations = 0;
  count4 ca_maxrequests = 0;
  Array<uint32_t, 1> ca_rdma_ird;
  PNFS_XDR(channel_attrs4, ca_headerpadsize, ca_maxrequestsize, ca_maxresponsesize, ca_maxresponsesize_cached,
           ca_maxoperations, ca_maxrequests, ca_rdma_ird)
};

struct CREATE_SESSION4args {
  clientid4 csa_clientid = 0;
  sequenceid4 csa_sequence = 0;
  uint32_t csa_flags = 0;
  channel_attrs4 csa_fore_chan_attrs;
  channel_attrs4 csa_back_chan_attrs;
  uint32_t csa_cb_program = 0;
  Array<callback_sec_parms4> csa_sec_parms;
  PNFS_XDR(CREATE_SESSION4args, csa_clientid, csa_sequence, csa_flags, csa_fore_chan_attrs, csa_back_chan_attrs,
           csa_cb_program, csa_sec_parms)
};
struct CREATE_SESSION4resok {
  sessionid4 csr_sessionid;
  sequenceid4 csr_sequence = 0;
  uint32_t csr_flags = 0;
  channel_attrs4 csr_fore_chan_attrs;
  channel_attrs4 csr_back_chan_attrs;
  PNFS_XDR(CREATE_SESSION4resok, csr_sessionid, csr_sequence, csr_flags, csr_fore_chan_attrs, csr_back_chan_attrs)
};
struct CREATE_SESSION4res {
  nfsstat4 csr_status = NFS4_OK;
  CREATE_SESSION4resok csr_resok4;
  PNFS_XDR_UNION(CREATE_SESSION4res, csr_status, PNFS_ARM(NFS4_OK, csr_resok4), PNFS_DEFAULT_VOID())
};

struct DESTROY_SESSION4args {
  sessionid4 dsa_sessionid;
  PNFS_XDR(DESTROY_SESSION4args, dsa_sessionid)
};
struct DESTROY_SESSION4res {
  nfsstat4 dsr_status = NFS4_OK;
  PNFS_XDR(DESTROY_SESSION4res, dsr_status)
};

PNFS_XDR_ENUM(channel_dir_from_client4, (CDFC4_FORE, 0x1), (CDFC4_BACK, 0x2), (CDFC4_FORE_OR_BOTH, 0x3),
              (CDFC4_BACK_OR_BOTH, 0x7))
PNFS_XDR_ENUM(channel_dir_from_server4, (CDFS4_FORE, 0x1), (CDFS4_BACK, 0x2), (CDFS4_BOTH, 0x3))

struct BIND_CONN_TO_SESSION4args {
  sessionid4 bctsa_sessid;
  channel_dir_from_client4 bctsa_dir = CDFC4_FORE;
  bool bctsa_use_conn_in_rdma_mode = false;
  PNFS_XDR(BIND_CONN_TO_SESSION4args, bctsa_sessid, bctsa_dir, bctsa_use_conn_in_rdma_mode)
};
struct BIND_CONN_TO_SESSION4resok {
  sessionid4 bctsr_sessid;
  channel_dir_from_server4 bctsr_dir = CDFS4_FORE;
  bool bctsr_use_conn_in_rdma_mode = false;
  PNFS_XDR(BIND_CONN_TO_SESSION4resok, bctsr_sessid, bctsr_dir, bctsr_use_conn_in_rdma_mode)
};
struct BIND_CONN_TO_SESSION4res {
  nfsstat4 bctsr_status = NFS4_OK;
  BIND_CONN_TO_SESSION4resok bctsr_resok4;
  PNFS_XDR_UNION(BIND_CONN_TO_SESSION4res, bctsr_status, PNFS_ARM(NFS4_OK, bctsr_resok4), PNFS_DEFAULT_VOID())
};

struct SEQUENCE4args {
  sessionid4 sa_sessionid;
  sequenceid4 sa_sequenceid = 0;
  slotid4 sa_slotid = 0;
  slotid4 sa_highest_slotid = 0;
  bool sa_cachethis = false;
  PNFS_XDR(SEQUENCE4args, sa_sessionid, sa_sequenceid, sa_slotid, sa_highest_slotid, sa_cachethis)
};
struct SEQUENCE4resok {
  sessionid4 sr_sessionid;
  sequenceid4 sr_sequenceid = 0;
  slotid4 sr_slotid = 0;
  slotid4 sr_highest_slotid = 0;
  slotid4 sr_target_highest_slotid = 0;
  uint32_t sr_status_flags = 0;
  PNFS_XDR(SEQUENCE4resok, sr_sessionid, sr_sequenceid, sr_slotid, sr_highest_slotid, sr_target_highest_slotid,
           sr_status_flags)
};
struct SEQUENCE4res {
  nfsstat4 sr_status = NFS4_OK;
  SEQUENCE4resok sr_resok4;
  PNFS_XDR_UNION(SEQUENCE4res, sr_status, PNFS_ARM(NFS4_OK, sr_resok4), PNFS_DEFAULT_VOID())
};

struct ssa_digest_input4 {
  SEQUENCE4args sdi_seqargs;
  PNFS_XDR(ssa_digest_input4, sdi_seqargs)
};
struct ssr_digest_input4 {
  SEQUENCE4res sdi_seqres;
  PNFS_XDR(ssr_digest_input4, sdi_seqres)
};
struct SET_SSV4args {
  Opaque<> ssa_ssv;
  Opaque<> ssa_digest;
  PNFS_XDR(SET_SSV4args, ssa_ssv, ssa_digest)
};
struct SET_SSV4resok {
  Opaque<> ssr_digest;
  PNFS_XDR(SET_SSV4resok, ssr_digest)
};
struct SET_SSV4res {
  nfsstat4 ssr_status = NFS4_OK;
  SET_SSV4resok ssr_resok4;
  PNFS_XDR_UNION(SET_SSV4res, ssr_status, PNFS_ARM(NFS4_OK, ssr_resok4), PNFS_DEFAULT_VOID())
};

struct DESTROY_CLIENTID4args {
  clientid4 dca_clientid = 0;
  PNFS_XDR(DESTROY_CLIENTID4args, dca_clientid)
};
struct DESTROY_CLIENTID4res {
  nfsstat4 dcr_status = NFS4_OK;
  PNFS_XDR(DESTROY_CLIENTID4res, dcr_status)
};

struct RECLAIM_COMPLETE4args {
  bool rca_one_fs = false;
  PNFS_XDR(RECLAIM_COMPLETE4args, rca_one_fs)
};
struct RECLAIM_COMPLETE4res {
  nfsstat4 rcr_status = NFS4_OK;
  PNFS_XDR(RECLAIM_COMPLETE4res, rcr_status)
};

}  // namespace pnfs::nfs
