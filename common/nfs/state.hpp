// Opens, locks, delegations and stateids (RFC 8881 18.2, 18.5, 18.6, 18.10 to 18.12, 18.16, 18.18, 18.38, 18.39, 18.48,
// 18.49).
#pragma once

#include "common/nfs/acl.hpp"
#include "common/nfs/basic.hpp"

namespace pnfs::nfs {

struct CLOSE4args {
  seqid4 seqid = 0;
  stateid4 open_stateid;
  PNFS_XDR(CLOSE4args, seqid, open_stateid)
};
struct CLOSE4res {
  nfsstat4 status = NFS4_OK;
  stateid4 open_stateid;
  PNFS_XDR_UNION(CLOSE4res, status, PNFS_ARM(NFS4_OK, open_stateid), PNFS_DEFAULT_VOID())
};

struct DELEGPURGE4args {
  clientid4 clientid = 0;
  PNFS_XDR(DELEGPURGE4args, clientid)
};
struct DELEGPURGE4res {
  nfsstat4 status = NFS4_OK;
  PNFS_XDR(DELEGPURGE4res, status)
};

struct DELEGRETURN4args {
  stateid4 deleg_stateid;
  PNFS_XDR(DELEGRETURN4args, deleg_stateid)
};
struct DELEGRETURN4res {
  nfsstat4 status = NFS4_OK;
  PNFS_XDR(DELEGRETURN4res, status)
};

// ---- byte-range locks

PNFS_XDR_ENUM(nfs_lock_type4, (READ_LT, 1), (WRITE_LT, 2), (READW_LT, 3), (WRITEW_LT, 4))

struct open_to_lock_owner4 {
  seqid4 open_seqid = 0;
  stateid4 open_stateid;
  seqid4 lock_seqid = 0;
  lock_owner4 lock_owner;
  PNFS_XDR(open_to_lock_owner4, open_seqid, open_stateid, lock_seqid, lock_owner)
};
struct exist_lock_owner4 {
  stateid4 lock_stateid;
  seqid4 lock_seqid = 0;
  PNFS_XDR(exist_lock_owner4, lock_stateid, lock_seqid)
};
struct locker4 {
  bool new_lock_owner = false;
  open_to_lock_owner4 open_owner;
  exist_lock_owner4 lock_owner;
  PNFS_XDR_UNION(locker4, new_lock_owner, PNFS_ARM(true, open_owner), PNFS_ARM(false, lock_owner))
};

struct LOCK4args {
  nfs_lock_type4 locktype = READ_LT;
  bool reclaim = false;
  offset4 offset = 0;
  length4 length = 0;
  locker4 locker;
  PNFS_XDR(LOCK4args, locktype, reclaim, offset, length, locker)
};
struct LOCK4denied {
  offset4 offset = 0;
  length4 length = 0;
  nfs_lock_type4 locktype = READ_LT;
  lock_owner4 owner;
  PNFS_XDR(LOCK4denied, offset, length, locktype, owner)
};
struct LOCK4resok {
  stateid4 lock_stateid;
  PNFS_XDR(LOCK4resok, lock_stateid)
};
struct LOCK4res {
  nfsstat4 status = NFS4_OK;
  LOCK4resok resok4;
  LOCK4denied denied;
  PNFS_XDR_UNION(LOCK4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_ARM(NFS4ERR_DENIED, denied), PNFS_DEFAULT_VOID())
};

struct LOCKT4args {
  nfs_lock_type4 locktype = READ_LT;
  offset4 offset = 0;
  length4 length = 0;
  lock_owner4 owner;
  PNFS_XDR(LOCKT4args, locktype, offset, length, owner)
};
struct LOCKT4res {
  nfsstat4 status = NFS4_OK;
  LOCK4denied denied;
  PNFS_XDR_UNION(LOCKT4res, status, PNFS_ARM(NFS4ERR_DENIED, denied), PNFS_DEFAULT_VOID())
};

struct LOCKU4args {
  nfs_lock_type4 locktype = READ_LT;
  seqid4 seqid = 0;
  stateid4 lock_stateid;
  offset4 offset = 0;
  length4 length = 0;
  PNFS_XDR(LOCKU4args, locktype, seqid, lock_stateid, offset, length)
};
struct LOCKU4res {
  nfsstat4 status = NFS4_OK;
  stateid4 lock_stateid;
  PNFS_XDR_UNION(LOCKU4res, status, PNFS_ARM(NFS4_OK, lock_stateid), PNFS_DEFAULT_VOID())
};

// ---- delegations

PNFS_XDR_ENUM(limit_by4, (NFS_LIMIT_SIZE, 1), (NFS_LIMIT_BLOCKS, 2))
struct nfs_modified_limit4 {
  uint32_t num_blocks = 0;
  uint32_t bytes_per_block = 0;
  PNFS_XDR(nfs_modified_limit4, num_blocks, bytes_per_block)
};
struct nfs_space_limit4 {
  limit_by4 limitby = NFS_LIMIT_SIZE;
  uint64_t filesize = 0;
  nfs_modified_limit4 mod_blocks;
  PNFS_XDR_UNION(nfs_space_limit4, limitby, PNFS_ARM(NFS_LIMIT_SIZE, filesize), PNFS_ARM(NFS_LIMIT_BLOCKS, mod_blocks))
};

PNFS_XDR_ENUM(open_delegation_type4, (OPEN_DELEGATE_NONE, 0), (OPEN_DELEGATE_READ, 1), (OPEN_DELEGATE_WRITE, 2),
              (OPEN_DELEGATE_NONE_EXT, 3))
PNFS_XDR_ENUM(why_no_delegation4, (WND4_NOT_WANTED, 0), (WND4_CONTENTION, 1), (WND4_RESOURCE, 2),
              (WND4_NOT_SUPP_FTYPE, 3), (WND4_WRITE_DELEG_NOT_SUPP_FTYPE, 4), (WND4_NOT_SUPP_UPGRADE, 5),
              (WND4_NOT_SUPP_DOWNGRADE, 6), (WND4_CANCELLED, 7), (WND4_IS_DIR, 8))

struct open_read_delegation4 {
  stateid4 stateid;
  bool recall = false;
  nfsace4 permissions;
  PNFS_XDR(open_read_delegation4, stateid, recall, permissions)
};
struct open_write_delegation4 {
  stateid4 stateid;
  bool recall = false;
  nfs_space_limit4 space_limit;
  nfsace4 permissions;
  PNFS_XDR(open_write_delegation4, stateid, recall, space_limit, permissions)
};
struct open_none_delegation4 {
  why_no_delegation4 ond_why = WND4_NOT_WANTED;
  bool ond_server_will_push_deleg = false;
  bool ond_server_will_signal_avail = false;
  PNFS_XDR_UNION(open_none_delegation4, ond_why, PNFS_ARM(WND4_CONTENTION, ond_server_will_push_deleg),
                 PNFS_ARM(WND4_RESOURCE, ond_server_will_signal_avail), PNFS_DEFAULT_VOID())
};
struct open_delegation4 {
  open_delegation_type4 delegation_type = OPEN_DELEGATE_NONE;
  open_read_delegation4 read;
  open_write_delegation4 write;
  open_none_delegation4 od_whynone;
  PNFS_XDR_UNION(open_delegation4, delegation_type, PNFS_VOID_ARM(OPEN_DELEGATE_NONE),
                 PNFS_ARM(OPEN_DELEGATE_READ, read), PNFS_ARM(OPEN_DELEGATE_WRITE, write),
                 PNFS_ARM(OPEN_DELEGATE_NONE_EXT, od_whynone))
};

// ---- stateids

struct FREE_STATEID4args {
  stateid4 fsa_stateid;
  PNFS_XDR(FREE_STATEID4args, fsa_stateid)
};
struct FREE_STATEID4res {
  nfsstat4 fsr_status = NFS4_OK;
  PNFS_XDR(FREE_STATEID4res, fsr_status)
};

struct TEST_STATEID4args {
  Array<stateid4> ts_stateids;
  PNFS_XDR(TEST_STATEID4args, ts_stateids)
};
struct TEST_STATEID4resok {
  Array<nfsstat4> tsr_status_codes;
  PNFS_XDR(TEST_STATEID4resok, tsr_status_codes)
};
struct TEST_STATEID4res {
  nfsstat4 tsr_status = NFS4_OK;
  TEST_STATEID4resok tsr_resok4;
  PNFS_XDR_UNION(TEST_STATEID4res, tsr_status, PNFS_ARM(NFS4_OK, tsr_resok4), PNFS_DEFAULT_VOID())
};

}  // namespace pnfs::nfs
