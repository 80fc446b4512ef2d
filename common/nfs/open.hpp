// OPEN and OPEN_DOWNGRADE (RFC 8881 18.16, 18.18), GET_DIR_DELEGATION and WANT_DELEGATION (18.39, 18.49).
#pragma once

#include "common/nfs/state.hpp"

namespace pnfs::nfs {

PNFS_XDR_ENUM(createmode4, (UNCHECKED4, 0), (GUARDED4, 1), (EXCLUSIVE4, 2), (EXCLUSIVE4_1, 3))

struct creatverfattr {
  verifier4 cva_verf;
  fattr4 cva_attrs;
  PNFS_XDR(creatverfattr, cva_verf, cva_attrs)
};
struct createhow4 {
  createmode4 mode = UNCHECKED4;
  fattr4 createattrs;
  verifier4 createverf;
  creatverfattr ch_createboth;
  PNFS_XDR_UNION(createhow4, mode, PNFS_ARM(UNCHECKED4, createattrs), PNFS_ARM(GUARDED4, createattrs),
                 PNFS_ARM(EXCLUSIVE4, createverf), PNFS_ARM(EXCLUSIVE4_1, ch_createboth))
};

PNFS_XDR_ENUM(opentype4, (OPEN4_NOCREATE, 0), (OPEN4_CREATE, 1))
struct openflag4 {
  opentype4 opentype = OPEN4_NOCREATE;
  createhow4 how;
  PNFS_XDR_UNION(openflag4, opentype, PNFS_ARM(OPEN4_CREATE, how), PNFS_DEFAULT_VOID())
};

inline constexpr uint32_t OPEN4_SHARE_ACCESS_READ = 0x00000001;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WRITE = 0x00000002;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_BOTH = 0x00000003;
inline constexpr uint32_t OPEN4_SHARE_DENY_NONE = 0x00000000;
inline constexpr uint32_t OPEN4_SHARE_DENY_READ = 0x00000001;
inline constexpr uint32_t OPEN4_SHARE_DENY_WRITE = 0x00000002;
inline constexpr uint32_t OPEN4_SHARE_DENY_BOTH = 0x00000003;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_DELEG_MASK = 0xFF00;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE = 0x0000;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_READ_DELEG = 0x0100;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG = 0x0200;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_ANY_DELEG = 0x0300;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_NO_DELEG = 0x0400;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_CANCEL = 0x0500;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL = 0x10000;
inline constexpr uint32_t OPEN4_SHARE_ACCESS_WANT_PUSH_DELEG_WHEN_UNCONTENDED = 0x20000;

PNFS_XDR_ENUM(open_claim_type4, (CLAIM_NULL, 0), (CLAIM_PREVIOUS, 1), (CLAIM_DELEGATE_CUR, 2), (CLAIM_DELEGATE_PREV, 3),
              (CLAIM_FH, 4), (CLAIM_DELEG_CUR_FH, 5), (CLAIM_DELEG_PREV_FH, 6))

struct open_claim_delegate_cur4 {
  stateid4 delegate_stateid;
  component4 file;
  PNFS_XDR(open_claim_delegate_cur4, delegate_stateid, file)
};
struct open_claim4 {
  open_claim_type4 claim = CLAIM_NULL;
  component4 file;
  open_delegation_type4 delegate_type = OPEN_DELEGATE_NONE;
  open_claim_delegate_cur4 delegate_cur_info;
  component4 file_delegate_prev;
  stateid4 oc_delegate_stateid;
  PNFS_XDR_UNION(open_claim4, claim, PNFS_ARM(CLAIM_NULL, file), PNFS_ARM(CLAIM_PREVIOUS, delegate_type),
                 PNFS_ARM(CLAIM_DELEGATE_CUR, delegate_cur_info), PNFS_ARM(CLAIM_DELEGATE_PREV, file_delegate_prev),
                 PNFS_VOID_ARM(CLAIM_FH), PNFS_VOID_ARM(CLAIM_DELEG_PREV_FH),
                 PNFS_ARM(CLAIM_DELEG_CUR_FH, oc_delegate_stateid))
};

struct OPEN4args {
  seqid4 seqid = 0;
  uint32_t share_access = 0;
  uint32_t share_deny = 0;
  open_owner4 owner;
  openflag4 openhow;
  open_claim4 claim;
  PNFS_XDR(OPEN4args, seqid, share_access, share_deny, owner, openhow, claim)
};

inline constexpr uint32_t OPEN4_RESULT_CONFIRM = 0x00000002;
inline constexpr uint32_t OPEN4_RESULT_LOCKTYPE_POSIX = 0x00000004;
inline constexpr uint32_t OPEN4_RESULT_PRESERVE_UNLINKED = 0x00000008;
inline constexpr uint32_t OPEN4_RESULT_MAY_NOTIFY_LOCK = 0x00000020;

struct OPEN4resok {
  stateid4 stateid;
  change_info4 cinfo;
  uint32_t rflags = 0;
  bitmap4 attrset;
  open_delegation4 delegation;
  PNFS_XDR(OPEN4resok, stateid, cinfo, rflags, attrset, delegation)
};
struct OPEN4res {
  nfsstat4 status = NFS4_OK;
  OPEN4resok resok4;
  PNFS_XDR_UNION(OPEN4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct OPEN_DOWNGRADE4args {
  stateid4 open_stateid;
  seqid4 seqid = 0;
  uint32_t share_access = 0;
  uint32_t share_deny = 0;
  PNFS_XDR(OPEN_DOWNGRADE4args, open_stateid, seqid, share_access, share_deny)
};
struct OPEN_DOWNGRADE4resok {
  stateid4 open_stateid;
  PNFS_XDR(OPEN_DOWNGRADE4resok, open_stateid)
};
struct OPEN_DOWNGRADE4res {
  nfsstat4 status = NFS4_OK;
  OPEN_DOWNGRADE4resok resok4;
  PNFS_XDR_UNION(OPEN_DOWNGRADE4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

using attr_notice4 = nfstime4;
struct GET_DIR_DELEGATION4args {
  bool gdda_signal_deleg_avail = false;
  notify_bitmap4 gdda_notification_types;
  attr_notice4 gdda_child_attr_delay;
  attr_notice4 gdda_dir_attr_delay;
  bitmap4 gdda_child_attributes;
  bitmap4 gdda_dir_attributes;
  PNFS_XDR(GET_DIR_DELEGATION4args, gdda_signal_deleg_avail, gdda_notification_types, gdda_child_attr_delay,
           gdda_dir_attr_delay, gdda_child_attributes, gdda_dir_attributes)
};
struct GET_DIR_DELEGATION4resok {
  verifier4 gddr_cookieverf;
  stateid4 gddr_stateid;
  notify_bitmap4 gddr_notification;
  bitmap4 gddr_child_attributes;
  bitmap4 gddr_dir_attributes;
  PNFS_XDR(GET_DIR_DELEGATION4resok, gddr_cookieverf, gddr_stateid, gddr_notification, gddr_child_attributes,
           gddr_dir_attributes)
};
PNFS_XDR_ENUM(gddrnf4_status, (GDD4_OK, 0), (GDD4_UNAVAIL, 1))
struct GET_DIR_DELEGATION4res_non_fatal {
  gddrnf4_status gddrnf_status = GDD4_OK;
  GET_DIR_DELEGATION4resok gddrnf_resok4;
  bool gddrnf_will_signal_deleg_avail = false;
  PNFS_XDR_UNION(GET_DIR_DELEGATION4res_non_fatal, gddrnf_status, PNFS_ARM(GDD4_OK, gddrnf_resok4),
                 PNFS_ARM(GDD4_UNAVAIL, gddrnf_will_signal_deleg_avail))
};
struct GET_DIR_DELEGATION4res {
  nfsstat4 gddr_status = NFS4_OK;
  GET_DIR_DELEGATION4res_non_fatal gddr_res_non_fatal4;
  PNFS_XDR_UNION(GET_DIR_DELEGATION4res, gddr_status, PNFS_ARM(NFS4_OK, gddr_res_non_fatal4), PNFS_DEFAULT_VOID())
};

struct deleg_claim4 {
  open_claim_type4 dc_claim = CLAIM_FH;
  open_delegation_type4 dc_delegate_type = OPEN_DELEGATE_NONE;
  PNFS_XDR_UNION(deleg_claim4, dc_claim, PNFS_VOID_ARM(CLAIM_FH), PNFS_VOID_ARM(CLAIM_DELEG_PREV_FH),
                 PNFS_ARM(CLAIM_PREVIOUS, dc_delegate_type))
};
struct WANT_DELEGATION4args {
  uint32_t wda_want = 0;
  deleg_claim4 wda_claim;
  PNFS_XDR(WANT_DELEGATION4args, wda_want, wda_claim)
};
struct WANT_DELEGATION4res {
  nfsstat4 wdr_status = NFS4_OK;
  open_delegation4 wdr_resok4;
  PNFS_XDR_UNION(WANT_DELEGATION4res, wdr_status, PNFS_ARM(NFS4_OK, wdr_resok4), PNFS_DEFAULT_VOID())
};

}  // namespace pnfs::nfs
