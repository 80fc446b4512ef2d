// Operations of NFSv4.0 that an NFSv4.1 server must not implement (RFC 8881 18.52 lists their numbers; shapes from
// RFC 7530). They answer NFS4ERR_NOTSUPP and have types so that the trace can print what a client sent.
#pragma once

#include "common/nfs/files.hpp"

namespace pnfs::nfs {

struct OPEN_CONFIRM4args {
  stateid4 open_stateid;
  seqid4 seqid = 0;
  PNFS_XDR(OPEN_CONFIRM4args, open_stateid, seqid)
};
struct OPEN_CONFIRM4resok {
  stateid4 open_stateid;
  PNFS_XDR(OPEN_CONFIRM4resok, open_stateid)
};
struct OPEN_CONFIRM4res {
  nfsstat4 status = NFS4ERR_NOTSUPP;
  OPEN_CONFIRM4resok resok4;
  PNFS_XDR_UNION(OPEN_CONFIRM4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_DEFAULT_VOID())
};

struct RENEW4args {
  clientid4 clientid = 0;
  PNFS_XDR(RENEW4args, clientid)
};
PNFS_STATUS_ONLY(RENEW4res);

struct nfs_client_id4 {
  verifier4 verifier;
  Opaque<NFS4_OPAQUE_LIMIT> id;
  PNFS_XDR(nfs_client_id4, verifier, id)
};
using clientaddr4 = netaddr4;
struct cb_client4 {
  uint32_t cb_program = 0;
  clientaddr4 cb_location;
  PNFS_XDR(cb_client4, cb_program, cb_location)
};
struct SETCLIENTID4args {
  nfs_client_id4 client;
  cb_client4 callback;
  uint32_t callback_ident = 0;
  PNFS_XDR(SETCLIENTID4args, client, callback, callback_ident)
};
struct SETCLIENTID4resok {
  clientid4 clientid = 0;
  verifier4 setclientid_confirm;
  PNFS_XDR(SETCLIENTID4resok, clientid, setclientid_confirm)
};
struct SETCLIENTID4res {
  nfsstat4 status = NFS4ERR_NOTSUPP;
  SETCLIENTID4resok resok4;
  clientaddr4 client_using;
  PNFS_XDR_UNION(SETCLIENTID4res, status, PNFS_ARM(NFS4_OK, resok4), PNFS_ARM(NFS4ERR_CLID_INUSE, client_using),
                 PNFS_DEFAULT_VOID())
};

struct SETCLIENTID_CONFIRM4args {
  clientid4 clientid = 0;
  verifier4 setclientid_confirm;
  PNFS_XDR(SETCLIENTID_CONFIRM4args, clientid, setclientid_confirm)
};
PNFS_STATUS_ONLY(SETCLIENTID_CONFIRM4res);

struct RELEASE_LOCKOWNER4args {
  lock_owner4 lock_owner;
  PNFS_XDR(RELEASE_LOCKOWNER4args, lock_owner)
};
PNFS_STATUS_ONLY(RELEASE_LOCKOWNER4res);

}  // namespace pnfs::nfs
