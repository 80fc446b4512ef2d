// The basic and shared structured types of NFSv4.1 (RFC 8881 3.1 to 3.3), spelled as there.
#pragma once

#include "common/base/clock.hpp"
#include "common/nfs/bitmap.hpp"
#include "common/nfs/numbers.hpp"
#include "common/nfs/status.hpp"
#include "common/xdr/types.hpp"

namespace pnfs::nfs {

using xdr::Array;
using xdr::FixedOpaque;
using xdr::List;
using xdr::Opaque;
using xdr::String;

inline constexpr uint32_t NFS4_FHSIZE = 128;
inline constexpr uint32_t NFS4_VERIFIER_SIZE = 8;
inline constexpr uint32_t NFS4_OPAQUE_LIMIT = 1024;
inline constexpr uint32_t NFS4_SESSIONID_SIZE = 16;
inline constexpr uint32_t NFS4_DEVICEID4_SIZE = 16;
inline constexpr int64_t NFS4_INT64_MAX = 0x7fffffffffffffff;
inline constexpr uint64_t NFS4_UINT64_MAX = 0xffffffffffffffff;
inline constexpr int32_t NFS4_INT32_MAX = 0x7fffffff;
inline constexpr uint32_t NFS4_UINT32_MAX = 0xffffffff;
inline constexpr uint64_t NFS4_MAXFILELEN = 0xffffffffffffffff;
inline constexpr uint64_t NFS4_MAXFILEOFF = 0xfffffffffffffffe;

using attrlist4 = Opaque<>;
using changeid4 = uint64_t;
using clientid4 = uint64_t;
using count4 = uint32_t;
using length4 = uint64_t;
using mode4 = uint32_t;
using nfs_cookie4 = uint64_t;
using nfs_fh4 = Opaque<NFS4_FHSIZE>;
using nfs_lease4 = uint32_t;
using offset4 = uint64_t;
using qop4 = uint32_t;
using sec_oid4 = Opaque<>;
using sequenceid4 = uint32_t;
using seqid4 = uint32_t;
using sessionid4 = FixedOpaque<NFS4_SESSIONID_SIZE>;
using slotid4 = uint32_t;
using utf8string = String<>;
using utf8str_cis = utf8string;
using utf8str_cs = utf8string;
using utf8str_mixed = utf8string;
using component4 = utf8str_cs;
using linktext4 = utf8str_cs;
using pathname4 = Array<component4>;
using verifier4 = FixedOpaque<NFS4_VERIFIER_SIZE>;
using deviceid4 = FixedOpaque<NFS4_DEVICEID4_SIZE>;

PNFS_XDR_ENUM(nfs_ftype4, (NF4REG, 1), (NF4DIR, 2), (NF4BLK, 3), (NF4CHR, 4), (NF4LNK, 5), (NF4SOCK, 6), (NF4FIFO, 7),
              (NF4ATTRDIR, 8), (NF4NAMEDATTR, 9))

struct nfstime4 {
  int64_t seconds = 0;
  uint32_t nseconds = 0;
  PNFS_XDR(nfstime4, seconds, nseconds)
  auto operator<=>(const nfstime4&) const = default;
};

inline nfstime4 to_nfstime4(WallTime t) {
  return {t.seconds, t.nanoseconds};
}
inline WallTime to_wall_time(nfstime4 t) {
  return {t.seconds, t.nseconds};
}

PNFS_XDR_ENUM(time_how4, (SET_TO_SERVER_TIME4, 0), (SET_TO_CLIENT_TIME4, 1))

struct settime4 {
  time_how4 set_it = SET_TO_SERVER_TIME4;
  nfstime4 time;
  PNFS_XDR_UNION(settime4, set_it, PNFS_ARM(SET_TO_CLIENT_TIME4, time), PNFS_DEFAULT_VOID())
};

struct specdata4 {
  uint32_t specdata1 = 0;  // major
  uint32_t specdata2 = 0;  // minor
  PNFS_XDR(specdata4, specdata1, specdata2)
  auto operator<=>(const specdata4&) const = default;
};

struct fsid4 {
  uint64_t major = 0;
  uint64_t minor = 0;
  PNFS_XDR(fsid4, major, minor)
  auto operator<=>(const fsid4&) const = default;
};

struct change_policy4 {
  uint64_t cp_major = 0;
  uint64_t cp_minor = 0;
  PNFS_XDR(change_policy4, cp_major, cp_minor)
};

struct fattr4 {
  bitmap4 attrmask;
  attrlist4 attr_vals;  // the values in ascending order of their numbers: common/nfs/attributes.hpp
  PNFS_XDR(fattr4, attrmask, attr_vals)
};

struct change_info4 {
  bool atomic = false;
  changeid4 before = 0;
  changeid4 after = 0;
  PNFS_XDR(change_info4, atomic, before, after)
};

struct netaddr4 {
  String<> na_r_netid;  // "tcp", "tcp6"
  String<> na_r_addr;   // universal address: "127.0.0.1.47.17"
  PNFS_XDR(netaddr4, na_r_netid, na_r_addr)
};

struct state_owner4 {
  clientid4 clientid = 0;
  Opaque<NFS4_OPAQUE_LIMIT> owner;
  PNFS_XDR(state_owner4, clientid, owner)
};
using open_owner4 = state_owner4;
using lock_owner4 = state_owner4;

struct stateid4 {
  uint32_t seqid = 0;
  FixedOpaque<12> other;
  PNFS_XDR(stateid4, seqid, other)
  auto operator<=>(const stateid4&) const = default;
};

struct nfs_impl_id4 {
  utf8str_cis nii_domain;
  utf8str_cs nii_name;
  nfstime4 nii_date;
  PNFS_XDR(nfs_impl_id4, nii_domain, nii_name, nii_date)
};

struct client_owner4 {
  verifier4 co_verifier;
  Opaque<NFS4_OPAQUE_LIMIT> co_ownerid;
  PNFS_XDR(client_owner4, co_verifier, co_ownerid)
};

struct server_owner4 {
  uint64_t so_minor_id = 0;
  Opaque<NFS4_OPAQUE_LIMIT> so_major_id;
  PNFS_XDR(server_owner4, so_minor_id, so_major_id)
};

}  // namespace pnfs::nfs
