// Callbacks (RFC 8881 section 20).
#pragma once

#include "common/nfs/files.hpp"
#include "common/nfs/layout.hpp"
#include "common/nfs/state.hpp"

namespace pnfs::nfs {

struct CB_GETATTR4args {
  nfs_fh4 fh;
  bitmap4 attr_request;
  PNFS_XDR(CB_GETATTR4args, fh, attr_request)
};
struct CB_GETATTR4resok {
  fattr4 obj_attributes;
  PNFS_XDR(CB_GETATTR4resok, obj_attributes)
};
struct CB_GETATTR4res {
  nfsstat4 status = NFS4_OK;
  CB_GETATTR4resok resok4;
  PNFS_XDR_UNION(CB_GETATTR4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct CB_RECALL4args {
  stateid4 stateid;
  bool truncate = false;
  nfs_fh4 fh;
  PNFS_XDR(CB_RECALL4args, stateid, truncate, fh)
};
PNFS_STATUS_ONLY(CB_RECALL4res);

PNFS_XDR_ENUM(layoutrecall_type4, (LAYOUTRECALL4_FILE, 1), (LAYOUTRECALL4_FSID, 2), (LAYOUTRECALL4_ALL, 3))
struct layoutrecall_file4 {
  nfs_fh4 lor_fh;
  offset4 lor_offset = 0;
  length4 lor_length = 0;
  stateid4 lor_stateid;
  PNFS_XDR(layoutrecall_file4, lor_fh, lor_offset, lor_length, lor_stateid)
};
struct layoutrecall4 {
  layoutrecall_type4 lor_recalltype = LAYOUTRECALL4_FILE;
  layoutrecall_file4 lor_layout;
  fsid4 lor_fsid;
  PNFS_XDR_UNION(layoutrecall4, lor_recalltype, PNFS_ARM(LAYOUTRECALL4_FILE, lor_layout),
                 PNFS_ARM(LAYOUTRECALL4_FSID, lor_fsid), PNFS_VOID_ARM(LAYOUTRECALL4_ALL))
};
struct CB_LAYOUTRECALL4args {
  layouttype4 clora_type = LAYOUT4_NFSV4_1_FILES;
  layoutiomode4 clora_iomode = LAYOUTIOMODE4_ANY;
  bool clora_changed = false;
  layoutrecall4 clora_recall;
  PNFS_XDR(CB_LAYOUTRECALL4args, clora_type, clora_iomode, clora_changed, clora_recall)
};
struct CB_LAYOUTRECALL4res {
  nfsstat4 clorr_status = NFS4_OK;
  PNFS_XDR(CB_LAYOUTRECALL4res, clorr_status)
};

// ---- notifications (20.4, 20.12)

struct notify_entry4 {
  component4 ne_file;
  fattr4 ne_attrs;
  PNFS_XDR(notify_entry4, ne_file, ne_attrs)
};
struct prev_entry4 {
  notify_entry4 pe_prev_entry;
  nfs_cookie4 pe_prev_entry_cookie = 0;
  PNFS_XDR(prev_entry4, pe_prev_entry, pe_prev_entry_cookie)
};
struct notify_remove4 {
  notify_entry4 nrm_old_entry;
  nfs_cookie4 nrm_old_entry_cookie = 0;
  PNFS_XDR(notify_remove4, nrm_old_entry, nrm_old_entry_cookie)
};
struct notify_add4 {
  Array<notify_remove4, 1> nad_old_entry;
  notify_entry4 nad_new_entry;
  Array<nfs_cookie4, 1> nad_new_entry_cookie;
  Array<prev_entry4, 1> nad_prev_entry;
  bool nad_last_entry = false;
  PNFS_XDR(notify_add4, nad_old_entry, nad_new_entry, nad_new_entry_cookie, nad_prev_entry, nad_last_entry)
};
struct notify_attr4 {
  notify_entry4 na_changed_entry;
  PNFS_XDR(notify_attr4, na_changed_entry)
};
struct notify_rename4 {
  notify_remove4 nrn_old_entry;
  notify_add4 nrn_new_entry;
  PNFS_XDR(notify_rename4, nrn_old_entry, nrn_new_entry)
};
struct notify_verifier4 {
  verifier4 nv_old_cookieverf;
  verifier4 nv_new_cookieverf;
  PNFS_XDR(notify_verifier4, nv_old_cookieverf, nv_new_cookieverf)
};
struct notify_deviceid_delete4 {
  layouttype4 ndd_layouttype = LAYOUT4_NFSV4_1_FILES;
  deviceid4 ndd_deviceid;
  PNFS_XDR(notify_deviceid_delete4, ndd_layouttype, ndd_deviceid)
};
struct notify_deviceid_change4 {
  layouttype4 ndc_layouttype = LAYOUT4_NFSV4_1_FILES;
  deviceid4 ndc_deviceid;
  bool ndc_immediate = false;
  PNFS_XDR(notify_deviceid_change4, ndc_layouttype, ndc_deviceid, ndc_immediate)
};

// The values in notify_vals are the notify_...4 structs above, one for each bit of the mask, in ascending order.
using notifylist4 = Opaque<>;
struct notify4 {
  plain_bitmap4 notify_mask;
  notifylist4 notify_vals;
  PNFS_XDR(notify4, notify_mask, notify_vals)
};

struct CB_NOTIFY4args {
  stateid4 cna_stateid;
  nfs_fh4 cna_fh;
  Array<notify4> cna_changes;
  PNFS_XDR(CB_NOTIFY4args, cna_stateid, cna_fh, cna_changes)
};
struct CB_NOTIFY4res {
  nfsstat4 cnr_status = NFS4_OK;
  PNFS_XDR(CB_NOTIFY4res, cnr_status)
};
struct CB_NOTIFY_DEVICEID4args {
  Array<notify4> cnda_changes;
  PNFS_XDR(CB_NOTIFY_DEVICEID4args, cnda_changes)
};
struct CB_NOTIFY_DEVICEID4res {
  nfsstat4 cndr_status = NFS4_OK;
  PNFS_XDR(CB_NOTIFY_DEVICEID4res, cndr_status)
};

struct CB_PUSH_DELEG4args {
  nfs_fh4 cpda_fh;
  open_delegation4 cpda_delegation;
  PNFS_XDR(CB_PUSH_DELEG4args, cpda_fh, cpda_delegation)
};
struct CB_PUSH_DELEG4res {
  nfsstat4 cpdr_status = NFS4_OK;
  PNFS_XDR(CB_PUSH_DELEG4res, cpdr_status)
};

inline constexpr uint32_t RCA4_TYPE_MASK_RDATA_DLG = 0;
inline constexpr uint32_t RCA4_TYPE_MASK_WDATA_DLG = 1;
inline constexpr uint32_t RCA4_TYPE_MASK_DIR_DLG = 2;
inline constexpr uint32_t RCA4_TYPE_MASK_FILE_LAYOUT = 3;
inline constexpr uint32_t RCA4_TYPE_MASK_BLK_LAYOUT = 4;
inline constexpr uint32_t RCA4_TYPE_MASK_OBJ_LAYOUT_MIN = 8;
inline constexpr uint32_t RCA4_TYPE_MASK_OBJ_LAYOUT_MAX = 9;
inline constexpr uint32_t RCA4_TYPE_MASK_OTHER_LAYOUT_MIN = 12;
inline constexpr uint32_t RCA4_TYPE_MASK_OTHER_LAYOUT_MAX = 15;
struct CB_RECALL_ANY4args {
  uint32_t craa_objects_to_keep = 0;
  plain_bitmap4 craa_type_mask;
  PNFS_XDR(CB_RECALL_ANY4args, craa_objects_to_keep, craa_type_mask)
};
struct CB_RECALL_ANY4res {
  nfsstat4 crar_status = NFS4_OK;
  PNFS_XDR(CB_RECALL_ANY4res, crar_status)
};
using CB_RECALLABLE_OBJ_AVAIL4args = CB_RECALL_ANY4args;
struct CB_RECALLABLE_OBJ_AVAIL4res {
  nfsstat4 croa_status = NFS4_OK;
  PNFS_XDR(CB_RECALLABLE_OBJ_AVAIL4res, croa_status)
};

struct CB_RECALL_SLOT4args {
  slotid4 rsa_target_highest_slotid = 0;
  PNFS_XDR(CB_RECALL_SLOT4args, rsa_target_highest_slotid)
};
struct CB_RECALL_SLOT4res {
  nfsstat4 rsr_status = NFS4_OK;
  PNFS_XDR(CB_RECALL_SLOT4res, rsr_status)
};

struct referring_call4 {
  sequenceid4 rc_sequenceid = 0;
  slotid4 rc_slotid = 0;
  PNFS_XDR(referring_call4, rc_sequenceid, rc_slotid)
};
struct referring_call_list4 {
  sessionid4 rcl_sessionid;
  Array<referring_call4> rcl_referring_calls;
  PNFS_XDR(referring_call_list4, rcl_sessionid, rcl_referring_calls)
};
struct CB_SEQUENCE4args {
  sessionid4 csa_sessionid;
  sequenceid4 csa_sequenceid = 0;
  slotid4 csa_slotid = 0;
  slotid4 csa_highest_slotid = 0;
  bool csa_cachethis = false;
  Array<referring_call_list4> csa_referring_call_lists;
  PNFS_XDR(CB_SEQUENCE4args, csa_sessionid, csa_sequenceid, csa_slotid, csa_highest_slotid, csa_cachethis,
           csa_referring_call_lists)
};
struct CB_SEQUENCE4resok {
  sessionid4 csr_sessionid;
  sequenceid4 csr_sequenceid = 0;
  slotid4 csr_slotid = 0;
  slotid4 csr_highest_slotid = 0;
  slotid4 csr_target_highest_slotid = 0;
  PNFS_XDR(CB_SEQUENCE4resok, csr_sessionid, csr_sequenceid, csr_slotid, csr_highest_slotid, csr_target_highest_slotid)
};
struct CB_SEQUENCE4res {
  nfsstat4 csr_status = NFS4_OK;
  CB_SEQUENCE4resok csr_resok4;
  PNFS_XDR_UNION(CB_SEQUENCE4res, csr_status, PNFS_ARM(NFS4_OK, csr_resok4), PNFS_DEFAULT_VOID())
};

struct CB_WANTS_CANCELLED4args {
  bool cwca_contended_wants_cancelled = false;
  bool cwca_resourced_wants_cancelled = false;
  PNFS_XDR(CB_WANTS_CANCELLED4args, cwca_contended_wants_cancelled, cwca_resourced_wants_cancelled)
};
struct CB_WANTS_CANCELLED4res {
  nfsstat4 cwcr_status = NFS4_OK;
  PNFS_XDR(CB_WANTS_CANCELLED4res, cwcr_status)
};

struct CB_NOTIFY_LOCK4args {
  nfs_fh4 cnla_fh;
  lock_owner4 cnla_lock_owner;
  PNFS_XDR(CB_NOTIFY_LOCK4args, cnla_fh, cnla_lock_owner)
};
struct CB_NOTIFY_LOCK4res {
  nfsstat4 cnlr_status = NFS4_OK;
  PNFS_XDR(CB_NOTIFY_LOCK4res, cnlr_status)
};

PNFS_VOID_ARGS(CB_ILLEGAL4args);
PNFS_STATUS_ONLY(CB_ILLEGAL4res);

}  // namespace pnfs::nfs
