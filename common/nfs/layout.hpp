// pNFS layouts and devices (RFC 8881 3.3.13 to 3.3.23, 13.3, 18.40 to 18.44).
#pragma once

#include "common/nfs/basic.hpp"

namespace pnfs::nfs {

// The last two from RFC 8435 and RFC 8154, so that a request for them is printed by name.
PNFS_XDR_ENUM(layouttype4, (LAYOUT4_NFSV4_1_FILES, 1), (LAYOUT4_OSD2_OBJECTS, 2), (LAYOUT4_BLOCK_VOLUME, 3),
              (LAYOUT4_FLEX_FILES, 4), (LAYOUT4_SCSI, 5))
PNFS_XDR_ENUM(layoutiomode4, (LAYOUTIOMODE4_READ, 1), (LAYOUTIOMODE4_RW, 2), (LAYOUTIOMODE4_ANY, 3))

struct device_addr4 {
  layouttype4 da_layout_type = LAYOUT4_NFSV4_1_FILES;
  Opaque<> da_addr_body;  // nfsv4_1_file_layout_ds_addr4 for the files layout
  PNFS_XDR(device_addr4, da_layout_type, da_addr_body)
};
struct layout_content4 {
  layouttype4 loc_type = LAYOUT4_NFSV4_1_FILES;
  Opaque<> loc_body;  // nfsv4_1_file_layout4 for the files layout
  PNFS_XDR(layout_content4, loc_type, loc_body)
};
struct layout4 {
  offset4 lo_offset = 0;
  length4 lo_length = 0;
  layoutiomode4 lo_iomode = LAYOUTIOMODE4_READ;
  layout_content4 lo_content;
  PNFS_XDR(layout4, lo_offset, lo_length, lo_iomode, lo_content)
};
struct layoutupdate4 {
  layouttype4 lou_type = LAYOUT4_NFSV4_1_FILES;
  Opaque<> lou_body;
  PNFS_XDR(layoutupdate4, lou_type, lou_body)
};
struct layouthint4 {
  layouttype4 loh_type = LAYOUT4_NFSV4_1_FILES;
  Opaque<> loh_body;  // nfsv4_1_file_layouthint4 for the files layout
  PNFS_XDR(layouthint4, loh_type, loh_body)
};

// Bits of thi_hintset; the hints are length4 each, in this order.
inline constexpr uint32_t threshold4_read_size = 0;
inline constexpr uint32_t threshold4_write_size = 1;
inline constexpr uint32_t threshold4_read_iosize = 2;
inline constexpr uint32_t threshold4_write_iosize = 3;
struct threshold_item4 {
  layouttype4 thi_layout_type = LAYOUT4_NFSV4_1_FILES;
  plain_bitmap4 thi_hintset;
  Opaque<> thi_hintlist;
  PNFS_XDR(threshold_item4, thi_layout_type, thi_hintset, thi_hintlist)
};
struct mdsthreshold4 {
  Array<threshold_item4> mth_hints;
  PNFS_XDR(mdsthreshold4, mth_hints)
};

// ---- the files layout (13.3)

inline constexpr uint32_t NFL4_UFLG_MASK = 0x0000003F;
inline constexpr uint32_t NFL4_UFLG_DENSE = 0x00000001;
inline constexpr uint32_t NFL4_UFLG_COMMIT_THRU_MDS = 0x00000002;
inline constexpr uint32_t NFL4_UFLG_STRIPE_UNIT_SIZE_MASK = 0xFFFFFFC0;
using nfl_util4 = uint32_t;

PNFS_XDR_ENUM(filelayout_hint_care4, (NFLH4_CARE_DENSE, 0x1), (NFLH4_CARE_COMMIT_THRU_MDS, 0x2),
              (NFLH4_CARE_STRIPE_UNIT_SIZE, 0x40), (NFLH4_CARE_STRIPE_COUNT, 0x80))

struct nfsv4_1_file_layouthint4 {
  uint32_t nflh_care = 0;
  nfl_util4 nflh_util = 0;
  count4 nflh_stripe_count = 0;
  PNFS_XDR(nfsv4_1_file_layouthint4, nflh_care, nflh_util, nflh_stripe_count)
};
using multipath_list4 = Array<netaddr4>;
struct nfsv4_1_file_layout_ds_addr4 {
  Array<uint32_t> nflda_stripe_indices;
  Array<multipath_list4> nflda_multipath_ds_list;
  PNFS_XDR(nfsv4_1_file_layout_ds_addr4, nflda_stripe_indices, nflda_multipath_ds_list)
};
struct nfsv4_1_file_layout4 {
  deviceid4 nfl_deviceid;
  nfl_util4 nfl_util = 0;
  uint32_t nfl_first_stripe_index = 0;
  offset4 nfl_pattern_offset = 0;
  Array<nfs_fh4> nfl_fh_list;
  PNFS_XDR(nfsv4_1_file_layout4, nfl_deviceid, nfl_util, nfl_first_stripe_index, nfl_pattern_offset, nfl_fh_list)
};

// ---- operations

struct GETDEVICEINFO4args {
  deviceid4 gdia_device_id;
  layouttype4 gdia_layout_type = LAYOUT4_NFSV4_1_FILES;
  count4 gdia_maxcount = 0;
  notify_deviceid_bitmap4 gdia_notify_types;
  PNFS_XDR(GETDEVICEINFO4args, gdia_device_id, gdia_layout_type, gdia_maxcount, gdia_notify_types)
};
struct GETDEVICEINFO4resok {
  device_addr4 gdir_device_addr;
  notify_deviceid_bitmap4 gdir_notification;
  PNFS_XDR(GETDEVICEINFO4resok, gdir_device_addr, gdir_notification)
};
struct GETDEVICEINFO4res {
  nfsstat4 gdir_status = NFS4_OK;
  GETDEVICEINFO4resok gdir_resok4;
  count4 gdir_mincount = 0;
  PNFS_XDR_UNION(GETDEVICEINFO4res, gdir_status, PNFS_ARM(NFS4_OK, gdir_resok4),
                 PNFS_ARM(NFS4ERR_TOOSMALL, gdir_mincount), PNFS_DEFAULT_VOID())
};

struct GETDEVICELIST4args {
  layouttype4 gdla_layout_type = LAYOUT4_NFSV4_1_FILES;
  count4 gdla_maxdevices = 0;
  nfs_cookie4 gdla_cookie = 0;
  verifier4 gdla_cookieverf;
  PNFS_XDR(GETDEVICELIST4args, gdla_layout_type, gdla_maxdevices, gdla_cookie, gdla_cookieverf)
};
struct GETDEVICELIST4resok {
  nfs_cookie4 gdlr_cookie = 0;
  verifier4 gdlr_cookieverf;
  Array<deviceid4> gdlr_deviceid_list;
  bool gdlr_eof = false;
  PNFS_XDR(GETDEVICELIST4resok, gdlr_cookie, gdlr_cookieverf, gdlr_deviceid_list, gdlr_eof)
};
struct GETDEVICELIST4res {
  nfsstat4 gdlr_status = NFS4_OK;
  GETDEVICELIST4resok gdlr_resok4;
  PNFS_XDR_UNION(GETDEVICELIST4res, gdlr_status, PNFS_ARM(NFS4_OK, gdlr_resok4), PNFS_DEFAULT_VOID())
};

struct newtime4 {
  bool nt_timechanged = false;
  nfstime4 nt_time;
  PNFS_XDR_UNION(newtime4, nt_timechanged, PNFS_ARM(true, nt_time), PNFS_VOID_ARM(false))
};
struct newoffset4 {
  bool no_newoffset = false;
  offset4 no_offset = 0;
  PNFS_XDR_UNION(newoffset4, no_newoffset, PNFS_ARM(true, no_offset), PNFS_VOID_ARM(false))
};
struct LAYOUTCOMMIT4args {
  offset4 loca_offset = 0;
  length4 loca_length = 0;
  bool loca_reclaim = false;
  stateid4 loca_stateid;
  newoffset4 loca_last_write_offset;
  newtime4 loca_time_modify;
  layoutupdate4 loca_layoutupdate;
  PNFS_XDR(LAYOUTCOMMIT4args, loca_offset, loca_length, loca_reclaim, loca_stateid, loca_last_write_offset,
           loca_time_modify, loca_layoutupdate)
};
struct newsize4 {
  bool ns_sizechanged = false;
  length4 ns_size = 0;
  PNFS_XDR_UNION(newsize4, ns_sizechanged, PNFS_ARM(true, ns_size), PNFS_VOID_ARM(false))
};
struct LAYOUTCOMMIT4resok {
  newsize4 locr_newsize;
  PNFS_XDR(LAYOUTCOMMIT4resok, locr_newsize)
};
struct LAYOUTCOMMIT4res {
  nfsstat4 locr_status = NFS4_OK;
  LAYOUTCOMMIT4resok locr_resok4;
  PNFS_XDR_UNION(LAYOUTCOMMIT4res, locr_status, PNFS_ARM(NFS4_OK, locr_resok4), PNFS_DEFAULT_VOID())
};

struct LAYOUTGET4args {
  bool loga_signal_layout_avail = false;
  layouttype4 loga_layout_type = LAYOUT4_NFSV4_1_FILES;
  layoutiomode4 loga_iomode = LAYOUTIOMODE4_READ;
  offset4 loga_offset = 0;
  length4 loga_length = 0;
  length4 loga_minlength = 0;
  stateid4 loga_stateid;
  count4 loga_maxcount = 0;
  PNFS_XDR(LAYOUTGET4args, loga_signal_layout_avail, loga_layout_type, loga_iomode, loga_offset, loga_length,
           loga_minlength, loga_stateid, loga_maxcount)
};
struct LAYOUTGET4resok {
  bool logr_return_on_close = false;
  stateid4 logr_stateid;
  Array<layout4> logr_layout;
  PNFS_XDR(LAYOUTGET4resok, logr_return_on_close, logr_stateid, logr_layout)
};
struct LAYOUTGET4res {
  nfsstat4 logr_status = NFS4_OK;
  LAYOUTGET4resok logr_resok4;
  bool logr_will_signal_layout_avail = false;
  PNFS_XDR_UNION(LAYOUTGET4res, logr_status, PNFS_ARM(NFS4_OK, logr_resok4),
                 PNFS_ARM(NFS4ERR_LAYOUTTRYLATER, logr_will_signal_layout_avail), PNFS_DEFAULT_VOID())
};

inline constexpr uint32_t LAYOUT4_RET_REC_FILE = 1;
inline constexpr uint32_t LAYOUT4_RET_REC_FSID = 2;
inline constexpr uint32_t LAYOUT4_RET_REC_ALL = 3;
PNFS_XDR_ENUM(layoutreturn_type4, (LAYOUTRETURN4_FILE, 1), (LAYOUTRETURN4_FSID, 2), (LAYOUTRETURN4_ALL, 3))

struct layoutreturn_file4 {
  offset4 lrf_offset = 0;
  length4 lrf_length = 0;
  stateid4 lrf_stateid;
  Opaque<> lrf_body;
  PNFS_XDR(layoutreturn_file4, lrf_offset, lrf_length, lrf_stateid, lrf_body)
};
struct layoutreturn4 {
  layoutreturn_type4 lr_returntype = LAYOUTRETURN4_FILE;
  layoutreturn_file4 lr_layout;
  PNFS_XDR_UNION(layoutreturn4, lr_returntype, PNFS_ARM(LAYOUTRETURN4_FILE, lr_layout), PNFS_DEFAULT_VOID())
};
struct LAYOUTRETURN4args {
  bool lora_reclaim = false;
  layouttype4 lora_layout_type = LAYOUT4_NFSV4_1_FILES;
  layoutiomode4 lora_iomode = LAYOUTIOMODE4_ANY;
  layoutreturn4 lora_layoutreturn;
  PNFS_XDR(LAYOUTRETURN4args, lora_reclaim, lora_layout_type, lora_iomode, lora_layoutreturn)
};
struct layoutreturn_stateid {
  bool lrs_present = false;
  stateid4 lrs_stateid;
  PNFS_XDR_UNION(layoutreturn_stateid, lrs_present, PNFS_ARM(true, lrs_stateid), PNFS_VOID_ARM(false))
};
struct LAYOUTRETURN4res {
  nfsstat4 lorr_status = NFS4_OK;
  layoutreturn_stateid lorr_stateid;
  PNFS_XDR_UNION(LAYOUTRETURN4res, lorr_status, PNFS_ARM(NFS4_OK, lorr_stateid), PNFS_DEFAULT_VOID())
};

}  // namespace pnfs::nfs
