// All operations and callbacks of NFSv4.1, and the heads of COMPOUND and CB_COMPOUND (RFC 8881 16.2, 19.2). The arrays
// argarray and resarray are not types: an operation is decoded only when the one before it has succeeded, through
// common/nfs/op_info.hpp.
#pragma once

#include "common/nfs/callback.hpp"
#include "common/nfs/files.hpp"
#include "common/nfs/layout.hpp"
#include "common/nfs/open.hpp"
#include "common/nfs/retired.hpp"
#include "common/nfs/security.hpp"
#include "common/nfs/session.hpp"
#include "common/nfs/state.hpp"

namespace pnfs::nfs {

struct CompoundArgsHead {  // COMPOUND4args up to argarray's elements
  utf8str_cs tag;
  uint32_t minorversion = 0;
  uint32_t argarray_count = 0;
  PNFS_XDR(CompoundArgsHead, tag, minorversion, argarray_count)
};
struct CompoundResHead {  // COMPOUND4res and CB_COMPOUND4res up to resarray's elements
  nfsstat4 status = NFS4_OK;
  utf8str_cs tag;
  uint32_t resarray_count = 0;
  PNFS_XDR(CompoundResHead, status, tag, resarray_count)
};
struct CbCompoundArgsHead {
  utf8str_cs tag;
  uint32_t minorversion = 0;
  uint32_t callback_ident = 0;
  uint32_t argarray_count = 0;
  PNFS_XDR(CbCompoundArgsHead, tag, minorversion, callback_ident, argarray_count)
};

}  // namespace pnfs::nfs
