// File attributes as named fields, and their encoding in fattr4 (RFC 8881 section 5). The list PNFS_ATTRIBUTES is the
// only place that says which attribute has which number, type and access.
//
// Not in it, because no server here has them: dacl, sacl, fs_status, fs_locations_info and the retention attributes.
// They answer as any attribute a server does not support.
#pragma once

#include <span>
#include <string_view>

#include "common/base/arena.hpp"
#include "common/nfs/acl.hpp"
#include "common/nfs/basic.hpp"
#include "common/nfs/layout.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::nfs {

inline constexpr uint32_t FH4_PERSISTENT = 0x00000000;
inline constexpr uint32_t FH4_NOEXPIRE_WITH_OPEN = 0x00000001;
inline constexpr uint32_t FH4_VOLATILE_ANY = 0x00000002;
inline constexpr uint32_t FH4_VOL_MIGRATION = 0x00000004;
inline constexpr uint32_t FH4_VOL_RENAME = 0x00000008;
inline constexpr uint32_t FSCHARSET_CAP4_CONTAINS_NON_UTF8 = 0x1;
inline constexpr uint32_t FSCHARSET_CAP4_ALLOWS_ONLY_UTF8 = 0x2;
inline constexpr mode4 MODE4_SUID = 0x800;
inline constexpr mode4 MODE4_SGID = 0x400;
inline constexpr mode4 MODE4_SVTX = 0x200;

struct mode_masked4 {
  mode4 mm_value_to_set = 0;
  mode4 mm_mask_bits = 0;
  PNFS_XDR(mode_masked4, mm_value_to_set, mm_mask_bits)
};
struct fs_location4 {
  Array<utf8str_cis> server;
  pathname4 rootpath;
  PNFS_XDR(fs_location4, server, rootpath)
};
struct fs_locations4 {
  pathname4 fs_root;
  Array<fs_location4> locations;
  PNFS_XDR(fs_locations4, fs_root, locations)
};

// RFC 9754, an extension that minor version 1 clients ask for too: what OPEN takes.
inline constexpr auto FATTR4_OPEN_ARGUMENTS = static_cast<attrnum4>(86);
struct open_arguments4 {
  bitmap4 oa_share_access;       // bit n: the value n of OPEN4_SHARE_ACCESS_
  bitmap4 oa_share_deny;         // the same for OPEN4_SHARE_DENY_
  bitmap4 oa_share_access_want;  // bit n: OPEN_ARGS_SHARE_ACCESS_WANT_*
  bitmap4 oa_open_claim;         // open_claim_type4
  bitmap4 oa_create_mode;        // createmode4
  PNFS_XDR(open_arguments4, oa_share_access, oa_share_deny, oa_share_access_want, oa_open_claim, oa_create_mode)
};

enum class Access : uint8_t { get, set, both };  // R, W and R W of RFC 8881 5.6 and 5.7

// X(number, field, type, access), ascending.
#define PNFS_ATTRIBUTES(X)                                            \
  X(FATTR4_SUPPORTED_ATTRS, supported_attrs, bitmap4, get)            \
  X(FATTR4_TYPE, type, nfs_ftype4, get)                               \
  X(FATTR4_FH_EXPIRE_TYPE, fh_expire_type, uint32_t, get)             \
  X(FATTR4_CHANGE, change, changeid4, get)                            \
  X(FATTR4_SIZE, size, uint64_t, both)                                \
  X(FATTR4_LINK_SUPPORT, link_support, bool, get)                     \
  X(FATTR4_SYMLINK_SUPPORT, symlink_support, bool, get)               \
  X(FATTR4_NAMED_ATTR, named_attr, bool, get)                         \
  X(FATTR4_FSID, fsid, fsid4, get)                                    \
  X(FATTR4_UNIQUE_HANDLES, unique_handles, bool, get)                 \
  X(FATTR4_LEASE_TIME, lease_time, nfs_lease4, get)                   \
  X(FATTR4_RDATTR_ERROR, rdattr_error, nfsstat4, get)                 \
  X(FATTR4_ACL, acl, Array<nfsace4>, both)                            \
  X(FATTR4_ACLSUPPORT, aclsupport, uint32_t, get)                     \
  X(FATTR4_ARCHIVE, archive, bool, both)                              \
  X(FATTR4_CANSETTIME, cansettime, bool, get)                         \
  X(FATTR4_CASE_INSENSITIVE, case_insensitive, bool, get)             \
  X(FATTR4_CASE_PRESERVING, case_preserving, bool, get)               \
  X(FATTR4_CHOWN_RESTRICTED, chown_restricted, bool, get)             \
  X(FATTR4_FILEHANDLE, filehandle, nfs_fh4, get)                      \
  X(FATTR4_FILEID, fileid, uint64_t, get)                             \
  X(FATTR4_FILES_AVAIL, files_avail, uint64_t, get)                   \
  X(FATTR4_FILES_FREE, files_free, uint64_t, get)                     \
  X(FATTR4_FILES_TOTAL, files_total, uint64_t, get)                   \
  X(FATTR4_FS_LOCATIONS, fs_locations, fs_locations4, get)            \
  X(FATTR4_HIDDEN, hidden, bool, both)                                \
  X(FATTR4_HOMOGENEOUS, homogeneous, bool, get)                       \
  X(FATTR4_MAXFILESIZE, maxfilesize, uint64_t, get)                   \
  X(FATTR4_MAXLINK, maxlink, uint32_t, get)                           \
  X(FATTR4_MAXNAME, maxname, uint32_t, get)                           \
  X(FATTR4_MAXREAD, maxread, uint64_t, get)                           \
  X(FATTR4_MAXWRITE, maxwrite, uint64_t, get)                         \
  X(FATTR4_MIMETYPE, mimetype, utf8str_cs, both)                      \
  X(FATTR4_MODE, mode, mode4, both)                                   \
  X(FATTR4_NO_TRUNC, no_trunc, bool, get)                             \
  X(FATTR4_NUMLINKS, numlinks, uint32_t, get)                         \
  X(FATTR4_OWNER, owner, utf8str_mixed, both)                         \
  X(FATTR4_OWNER_GROUP, owner_group, utf8str_mixed, both)             \
  X(FATTR4_QUOTA_AVAIL_HARD, quota_avail_hard, uint64_t, get)         \
  X(FATTR4_QUOTA_AVAIL_SOFT, quota_avail_soft, uint64_t, get)         \
  X(FATTR4_QUOTA_USED, quota_used, uint64_t, get)                     \
  X(FATTR4_RAWDEV, rawdev, specdata4, get)                            \
  X(FATTR4_SPACE_AVAIL, space_avail, uint64_t, get)                   \
  X(FATTR4_SPACE_FREE, space_free, uint64_t, get)                     \
  X(FATTR4_SPACE_TOTAL, space_total, uint64_t, get)                   \
  X(FATTR4_SPACE_USED, space_used, uint64_t, get)                     \
  X(FATTR4_SYSTEM, system, bool, both)                                \
  X(FATTR4_TIME_ACCESS, time_access, nfstime4, get)                   \
  X(FATTR4_TIME_ACCESS_SET, time_access_set, settime4, set)           \
  X(FATTR4_TIME_BACKUP, time_backup, nfstime4, both)                  \
  X(FATTR4_TIME_CREATE, time_create, nfstime4, both)                  \
  X(FATTR4_TIME_DELTA, time_delta, nfstime4, get)                     \
  X(FATTR4_TIME_METADATA, time_metadata, nfstime4, get)               \
  X(FATTR4_TIME_MODIFY, time_modify, nfstime4, get)                   \
  X(FATTR4_TIME_MODIFY_SET, time_modify_set, settime4, set)           \
  X(FATTR4_MOUNTED_ON_FILEID, mounted_on_fileid, uint64_t, get)       \
  X(FATTR4_DIR_NOTIF_DELAY, dir_notif_delay, nfstime4, get)           \
  X(FATTR4_DIRENT_NOTIF_DELAY, dirent_notif_delay, nfstime4, get)     \
  X(FATTR4_CHANGE_POLICY, change_policy, change_policy4, get)         \
  X(FATTR4_FS_LAYOUT_TYPES, fs_layout_types, Array<layouttype4>, get) \
  X(FATTR4_LAYOUT_HINT, layout_hint, layouthint4, set)                \
  X(FATTR4_LAYOUT_TYPES, layout_types, Array<layouttype4>, get)       \
  X(FATTR4_LAYOUT_BLKSIZE, layout_blksize, uint32_t, get)             \
  X(FATTR4_LAYOUT_ALIGNMENT, layout_alignment, uint32_t, get)         \
  X(FATTR4_MDSTHRESHOLD, mdsthreshold, mdsthreshold4, get)            \
  X(FATTR4_MODE_SET_MASKED, mode_set_masked, mode_masked4, set)       \
  X(FATTR4_SUPPATTR_EXCLCREAT, suppattr_exclcreat, bitmap4, get)      \
  X(FATTR4_FS_CHARSET_CAP, fs_charset_cap, uint32_t, get)             \
  X(FATTR4_OPEN_ARGUMENTS, open_arguments, open_arguments4, get)

// Views inside live as long as the arena or message they came from.
struct Attributes {
  // Which fields below hold something. Whoever fills a field sets its bit; encode sends nothing else.
  bitmap4 present;

#define PNFS_ATTRIBUTE_FIELD(number, field, type_, access) type_ field{};
  PNFS_ATTRIBUTES(PNFS_ATTRIBUTE_FIELD)
#undef PNFS_ATTRIBUTE_FIELD

  bool has(uint32_t number) const {
    return present.has(number);
  }
};

struct AttributeInfo {
  attrnum4 number;
  std::string_view name;  // "mounted_on_fileid"
  const xdr::TypeInfo* type;
  Access access;
  void* (*locate)(Attributes&);
};

// Every attribute of the list, ascending.
std::span<const AttributeInfo> attribute_infos();
// nullptr for a number that is not in the list.
const AttributeInfo* find_attribute(uint32_t number);
// "SIZE|MODE|77" for messages.
std::string attribute_names(const bitmap4& bits);

constexpr bitmap4 attributes_with(Access access) {
  bitmap4 bits;
#define PNFS_ATTRIBUTE_BIT(number, field, type, access_) \
  if (Access::access_ == access) bits.set(number);
  PNFS_ATTRIBUTES(PNFS_ATTRIBUTE_BIT)
#undef PNFS_ATTRIBUTE_BIT
  return bits;
}
inline constexpr bitmap4 kGetOnlyAttributes = attributes_with(Access::get);
inline constexpr bitmap4 kSetOnlyAttributes = attributes_with(Access::set);
inline constexpr bitmap4 kGetSetAttributes = attributes_with(Access::both);
inline constexpr bitmap4 kKnownAttributes = kGetOnlyAttributes | kSetOnlyAttributes | kGetSetAttributes;

// What is both wanted and present, in ascending order. The values live in the arena.
fattr4 encode_attributes(Arena& arena, const bitmap4& wanted, const Attributes& attributes);

// NFS4ERR_INVAL when a set-only attribute is asked for (5.5). Unknown and unsupported ones are not an error: they are
// left out of the reply.
Status check_get(const bitmap4& wanted);

enum class DecodeFor : uint8_t {
  set,      // SETATTR, CREATE, OPEN: get-only ones are NFS4ERR_INVAL (5.5)
  compare,  // VERIFY, NVERIFY: set-only ones and rdattr_error are NFS4ERR_INVAL (18.31.3)
  read,     // a client that reads a reply
};
// NFS4ERR_ATTRNOTSUPP for an attribute that is not in `supported` (or that nobody knows), before anything is decoded;
// NFS4ERR_INVAL as above and for a time with more than 999999999 nanoseconds (3.3.1); NFS4ERR_BADXDR when the values
// end early, do not decode, or something follows them.
Status decode_attributes(const fattr4& from, const bitmap4& supported, DecodeFor purpose, Arena& arena,
                         Attributes& out);

}  // namespace pnfs::nfs
