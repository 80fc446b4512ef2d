// Operations on filehandles, names, attributes and data (RFC 8881 18.1 to 18.32). Operations whose arguments are void
// in the RFC have an empty struct here, so that every operation is one pair of types.
#pragma once

#include "common/nfs/basic.hpp"

namespace pnfs::nfs {

// A result that is a status and nothing else.
#define PNFS_STATUS_ONLY(type) \
  struct type {                \
    nfsstat4 status = NFS4_OK; \
    PNFS_XDR(type, status)     \
  }
#define PNFS_VOID_ARGS(type) \
  struct type {              \
    PNFS_XDR(type)           \
  }

inline constexpr uint32_t ACCESS4_READ = 0x00000001;
inline constexpr uint32_t ACCESS4_LOOKUP = 0x00000002;
inline constexpr uint32_t ACCESS4_MODIFY = 0x00000004;
inline constexpr uint32_t ACCESS4_EXTEND = 0x00000008;
inline constexpr uint32_t ACCESS4_DELETE = 0x00000010;
inline constexpr uint32_t ACCESS4_EXECUTE = 0x00000020;

struct ACCESS4args {
  uint32_t access = 0;
  PNFS_XDR(ACCESS4args, access)
};
struct ACCESS4resok {
  uint32_t supported = 0;
  uint32_t access = 0;
  PNFS_XDR(ACCESS4resok, supported, access)
};
struct ACCESS4res {
  nfsstat4 status = NFS4_OK;
  ACCESS4resok resok4;
  PNFS_XDR_UNION(ACCESS4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

// ---- filehandles

PNFS_VOID_ARGS(GETFH4args);
struct GETFH4resok {
  nfs_fh4 object;
  PNFS_XDR(GETFH4resok, object)
};
struct GETFH4res {
  nfsstat4 status = NFS4_OK;
  GETFH4resok resok4;
  PNFS_XDR_UNION(GETFH4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};
struct PUTFH4args {
  nfs_fh4 object;
  PNFS_XDR(PUTFH4args, object)
};
PNFS_STATUS_ONLY(PUTFH4res);
PNFS_VOID_ARGS(PUTPUBFH4args);
PNFS_STATUS_ONLY(PUTPUBFH4res);
PNFS_VOID_ARGS(PUTROOTFH4args);
PNFS_STATUS_ONLY(PUTROOTFH4res);
PNFS_VOID_ARGS(SAVEFH4args);
PNFS_STATUS_ONLY(SAVEFH4res);
PNFS_VOID_ARGS(RESTOREFH4args);
PNFS_STATUS_ONLY(RESTOREFH4res);

struct LOOKUP4args {
  component4 objname;
  PNFS_XDR(LOOKUP4args, objname)
};
PNFS_STATUS_ONLY(LOOKUP4res);
PNFS_VOID_ARGS(LOOKUPP4args);
PNFS_STATUS_ONLY(LOOKUPP4res);
struct OPENATTR4args {
  bool createdir = false;
  PNFS_XDR(OPENATTR4args, createdir)
};
PNFS_STATUS_ONLY(OPENATTR4res);

// ---- attributes

struct GETATTR4args {
  bitmap4 attr_request;
  PNFS_XDR(GETATTR4args, attr_request)
};
struct GETATTR4resok {
  fattr4 obj_attributes;
  PNFS_XDR(GETATTR4resok, obj_attributes)
};
struct GETATTR4res {
  nfsstat4 status = NFS4_OK;
  GETATTR4resok resok4;
  PNFS_XDR_UNION(GETATTR4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};
struct SETATTR4args {
  stateid4 stateid;
  fattr4 obj_attributes;
  PNFS_XDR(SETATTR4args, stateid, obj_attributes)
};
struct SETATTR4res {  // not a union: attrsset comes with every status
  nfsstat4 status = NFS4_OK;
  bitmap4 attrsset;
  PNFS_XDR(SETATTR4res, status, attrsset)
};
struct VERIFY4args {
  fattr4 obj_attributes;
  PNFS_XDR(VERIFY4args, obj_attributes)
};
PNFS_STATUS_ONLY(VERIFY4res);
struct NVERIFY4args {
  fattr4 obj_attributes;
  PNFS_XDR(NVERIFY4args, obj_attributes)
};
PNFS_STATUS_ONLY(NVERIFY4res);

// ---- names

struct createtype4 {
  nfs_ftype4 type = NF4DIR;
  linktext4 linkdata;
  specdata4 devdata;
  PNFS_XDR_UNION(createtype4, type, PNFS_ARM(NF4LNK, linkdata), PNFS_ARM(NF4BLK, devdata), PNFS_ARM(NF4CHR, devdata),
                 PNFS_DEFAULT_VOID())
};
struct CREATE4args {
  createtype4 objtype;
  component4 objname;
  fattr4 createattrs;
  PNFS_XDR(CREATE4args, objtype, objname, createattrs)
};
struct CREATE4resok {
  change_info4 cinfo;
  bitmap4 attrset;
  PNFS_XDR(CREATE4resok, cinfo, attrset)
};
struct CREATE4res {
  nfsstat4 status = NFS4_OK;
  CREATE4resok resok4;
  PNFS_XDR_UNION(CREATE4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct LINK4args {
  component4 newname;
  PNFS_XDR(LINK4args, newname)
};
struct LINK4resok {
  change_info4 cinfo;
  PNFS_XDR(LINK4resok, cinfo)
};
struct LINK4res {
  nfsstat4 status = NFS4_OK;
  LINK4resok resok4;
  PNFS_XDR_UNION(LINK4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct REMOVE4args {
  component4 target;
  PNFS_XDR(REMOVE4args, target)
};
struct REMOVE4resok {
  change_info4 cinfo;
  PNFS_XDR(REMOVE4resok, cinfo)
};
struct REMOVE4res {
  nfsstat4 status = NFS4_OK;
  REMOVE4resok resok4;
  PNFS_XDR_UNION(REMOVE4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct RENAME4args {
  component4 oldname;
  component4 newname;
  PNFS_XDR(RENAME4args, oldname, newname)
};
struct RENAME4resok {
  change_info4 source_cinfo;
  change_info4 target_cinfo;
  PNFS_XDR(RENAME4resok, source_cinfo, target_cinfo)
};
struct RENAME4res {
  nfsstat4 status = NFS4_OK;
  RENAME4resok resok4;
  PNFS_XDR_UNION(RENAME4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

PNFS_VOID_ARGS(READLINK4args);
struct READLINK4resok {
  linktext4 link;
  PNFS_XDR(READLINK4resok, link)
};
struct READLINK4res {
  nfsstat4 status = NFS4_OK;
  READLINK4resok resok4;
  PNFS_XDR_UNION(READLINK4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct READDIR4args {
  nfs_cookie4 cookie = 0;
  verifier4 cookieverf;
  count4 dircount = 0;
  count4 maxcount = 0;
  bitmap4 attr_request;
  PNFS_XDR(READDIR4args, cookie, cookieverf, dircount, maxcount, attr_request)
};
struct entry4 {  // nextentry is the List's
  nfs_cookie4 cookie = 0;
  component4 name;
  fattr4 attrs;
  PNFS_XDR(entry4, cookie, name, attrs)
};
struct dirlist4 {
  List<entry4> entries;
  bool eof = false;
  PNFS_XDR(dirlist4, entries, eof)
};
struct READDIR4resok {
  verifier4 cookieverf;
  dirlist4 reply;
  PNFS_XDR(READDIR4resok, cookieverf, reply)
};
struct READDIR4res {
  nfsstat4 status = NFS4_OK;
  READDIR4resok resok4;
  PNFS_XDR_UNION(READDIR4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

// ---- data

struct READ4args {
  stateid4 stateid;
  offset4 offset = 0;
  count4 count = 0;
  PNFS_XDR(READ4args, stateid, offset, count)
};
struct READ4resok {
  bool eof = false;
  Opaque<> data;
  PNFS_XDR(READ4resok, eof, data)
};
struct READ4res {
  nfsstat4 status = NFS4_OK;
  READ4resok resok4;
  PNFS_XDR_UNION(READ4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

PNFS_XDR_ENUM(stable_how4, (UNSTABLE4, 0), (DATA_SYNC4, 1), (FILE_SYNC4, 2))
struct WRITE4args {
  stateid4 stateid;
  offset4 offset = 0;
  stable_how4 stable = UNSTABLE4;
  Opaque<> data;
  PNFS_XDR(WRITE4args, stateid, offset, stable, data)
};
struct WRITE4resok {
  count4 count = 0;
  stable_how4 committed = UNSTABLE4;
  verifier4 writeverf;
  PNFS_XDR(WRITE4resok, count, committed, writeverf)
};
struct WRITE4res {
  nfsstat4 status = NFS4_OK;
  WRITE4resok resok4;
  PNFS_XDR_UNION(WRITE4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct COMMIT4args {
  offset4 offset = 0;
  count4 count = 0;
  PNFS_XDR(COMMIT4args, offset, count)
};
struct COMMIT4resok {
  verifier4 writeverf;
  PNFS_XDR(COMMIT4resok, writeverf)
};
struct COMMIT4res {
  nfsstat4 status = NFS4_OK;
  COMMIT4resok resok4;
  PNFS_XDR_UNION(COMMIT4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

PNFS_VOID_ARGS(ILLEGAL4args);
PNFS_STATUS_ONLY(ILLEGAL4res);

}  // namespace pnfs::nfs
