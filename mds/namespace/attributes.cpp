#include "mds/namespace/attributes.hpp"

#include <algorithm>
#include <charconv>

#include "common/nfs/attributes.hpp"
#include "common/nfs/open.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::mds {

using nfs::bitmap4;

namespace {

constexpr bitmap4 kSettable{
    nfs::FATTR4_SIZE,           nfs::FATTR4_MODE,        nfs::FATTR4_OWNER,           nfs::FATTR4_OWNER_GROUP,
    nfs::FATTR4_TIME_CREATE,    nfs::FATTR4_LAYOUT_HINT, nfs::FATTR4_TIME_ACCESS_SET, nfs::FATTR4_TIME_MODIFY_SET,
    nfs::FATTR4_MODE_SET_MASKED};

constexpr bitmap4 kWriteOnly{nfs::FATTR4_TIME_ACCESS_SET, nfs::FATTR4_TIME_MODIFY_SET, nfs::FATTR4_LAYOUT_HINT,
                             nfs::FATTR4_MODE_SET_MASKED};

constexpr bitmap4 kReadable{nfs::FATTR4_SUPPORTED_ATTRS,
                            nfs::FATTR4_TYPE,
                            nfs::FATTR4_FH_EXPIRE_TYPE,
                            nfs::FATTR4_CHANGE,
                            nfs::FATTR4_SIZE,
                            nfs::FATTR4_LINK_SUPPORT,
                            nfs::FATTR4_SYMLINK_SUPPORT,
                            nfs::FATTR4_NAMED_ATTR,
                            nfs::FATTR4_FSID,
                            nfs::FATTR4_UNIQUE_HANDLES,
                            nfs::FATTR4_LEASE_TIME,
                            nfs::FATTR4_RDATTR_ERROR,
                            nfs::FATTR4_ACLSUPPORT,
                            nfs::FATTR4_CANSETTIME,
                            nfs::FATTR4_CASE_INSENSITIVE,
                            nfs::FATTR4_CASE_PRESERVING,
                            nfs::FATTR4_CHOWN_RESTRICTED,
                            nfs::FATTR4_FILEHANDLE,
                            nfs::FATTR4_FILEID,
                            nfs::FATTR4_FILES_AVAIL,
                            nfs::FATTR4_FILES_FREE,
                            nfs::FATTR4_FILES_TOTAL,
                            nfs::FATTR4_HOMOGENEOUS,
                            nfs::FATTR4_MAXFILESIZE,
                            nfs::FATTR4_MAXLINK,
                            nfs::FATTR4_MAXNAME,
                            nfs::FATTR4_MAXREAD,
                            nfs::FATTR4_MAXWRITE,
                            nfs::FATTR4_MODE,
                            nfs::FATTR4_NO_TRUNC,
                            nfs::FATTR4_NUMLINKS,
                            nfs::FATTR4_OWNER,
                            nfs::FATTR4_OWNER_GROUP,
                            nfs::FATTR4_RAWDEV,
                            nfs::FATTR4_SPACE_AVAIL,
                            nfs::FATTR4_SPACE_FREE,
                            nfs::FATTR4_SPACE_TOTAL,
                            nfs::FATTR4_SPACE_USED,
                            nfs::FATTR4_TIME_ACCESS,
                            nfs::FATTR4_TIME_CREATE,
                            nfs::FATTR4_TIME_DELTA,
                            nfs::FATTR4_TIME_METADATA,
                            nfs::FATTR4_TIME_MODIFY,
                            nfs::FATTR4_MOUNTED_ON_FILEID,
                            nfs::FATTR4_FS_LAYOUT_TYPES,
                            nfs::FATTR4_LAYOUT_TYPES,
                            nfs::FATTR4_LAYOUT_BLKSIZE,
                            nfs::FATTR4_LAYOUT_ALIGNMENT,
                            nfs::FATTR4_MDSTHRESHOLD,
                            nfs::FATTR4_SUPPATTR_EXCLCREAT,
                            nfs::FATTR4_FS_CHARSET_CAP};

constexpr bitmap4 kSpaceAttributes{nfs::FATTR4_SPACE_AVAIL, nfs::FATTR4_SPACE_FREE, nfs::FATTR4_SPACE_TOTAL,
                                   nfs::FATTR4_FILES_AVAIL, nfs::FATTR4_FILES_FREE, nfs::FATTR4_FILES_TOTAL};

constexpr bitmap4 kSupported = kReadable | kWriteOnly;
constexpr uint64_t kDirectoryBytes = 4096;

// What OPEN takes here (RFC 9754 section 2): bit numbers are the values of the enumerations.
nfs::open_arguments4 open_arguments() {
  nfs::open_arguments4 a;
  a.oa_share_access = {nfs::OPEN4_SHARE_ACCESS_READ, nfs::OPEN4_SHARE_ACCESS_WRITE, nfs::OPEN4_SHARE_ACCESS_BOTH};
  a.oa_share_deny = {nfs::OPEN4_SHARE_DENY_NONE, nfs::OPEN4_SHARE_DENY_READ, nfs::OPEN4_SHARE_DENY_WRITE,
                     nfs::OPEN4_SHARE_DENY_BOTH};
  a.oa_share_access_want = {3, 4, 5};  // any delegation, none, cancel
  a.oa_open_claim = {nfs::CLAIM_NULL, nfs::CLAIM_PREVIOUS, nfs::CLAIM_DELEGATE_CUR, nfs::CLAIM_FH,
                     nfs::CLAIM_DELEG_CUR_FH};
  a.oa_create_mode = {nfs::UNCHECKED4, nfs::GUARDED4, nfs::EXCLUSIVE4, nfs::EXCLUSIVE4_1};
  return a;
}

// Users and groups travel as decimal numbers: what a Linux client without idmapping sends and expects (5.9).
nfs::utf8str_mixed number_text(uint32_t value, Arena& arena) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {arena.copy(std::string_view(text, static_cast<size_t>(end - text)))};
}

nfs::Array<nfs::layouttype4> copy_types(std::span<const nfs::layouttype4> types, Arena& arena) {
  const auto items = arena.make_array<nfs::layouttype4>(types.size());
  std::copy(types.begin(), types.end(), items.begin());
  return {items};
}

// 5.12.6: one item for each layout type; without any hint, none.
nfs::mdsthreshold4 thresholds_of(const FilesystemFacts& facts, Arena& arena) {
  xdr::Encoder hints(arena);
  nfs::plain_bitmap4 which;
  for (uint32_t i = 0; i < facts.thresholds.size(); ++i) {
    if (!facts.thresholds[i]) continue;
    which.set(i);
    xdr::encode(hints, *facts.thresholds[i]);
  }
  nfs::mdsthreshold4 out;
  if (which.none()) return out;
  out.mth_hints.items = arena.make_array<nfs::threshold_item4>(facts.layout_types.size());
  for (size_t i = 0; i < facts.layout_types.size(); ++i)
    out.mth_hints[i] = {facts.layout_types[i], which, {arena.copy(std::span<const std::byte>(hints.flatten()))}};
  return out;
}

}  // namespace

const bitmap4& supported_attributes() {
  return kSupported;
}
const bitmap4& exclusive_create_attributes() {
  return kSettable;
}

Status AttributeWriter::write(const Inode& n, const nfs::FileHandle& handle, const bitmap4& wanted, Arena& arena,
                              nfs::fattr4& out) const {
  if (Status status = nfs::check_get(wanted); !status) return status;
  nfs::Attributes a;
  a.present = kReadable;
  a.supported_attrs = kSupported;
  a.type = static_cast<nfs::nfs_ftype4>(n.type);
  a.fh_expire_type = nfs::FH4_PERSISTENT;
  a.change = n.change;
  a.size = n.type == volume::FileType::directory ? kDirectoryBytes : n.size;
  a.link_support = a.symlink_support = a.unique_handles = a.cansettime = true;
  a.case_preserving = a.chown_restricted = a.homogeneous = a.no_trunc = true;
  a.fsid = facts_.fsid;
  a.lease_time = facts_.lease_seconds;
  a.fileid = a.mounted_on_fileid = n.fileid;
  a.maxfilesize = kMaxFileBytes;
  a.maxlink = kMaxLinks;
  a.maxname = volume::kMaxNameBytes;
  a.maxread = facts_.max_read_bytes;
  a.maxwrite = facts_.max_write_bytes;
  a.mode = n.mode;
  a.numlinks = n.nlink;
  a.rawdev = {n.rdev_major, n.rdev_minor};
  a.time_access = nfs::to_nfstime4(n.atime);
  a.time_create = nfs::to_nfstime4(n.btime);
  a.time_delta = {0, 1};
  a.time_metadata = nfs::to_nfstime4(n.ctime);
  a.time_modify = nfs::to_nfstime4(n.mtime);
  a.layout_blksize = a.layout_alignment = facts_.layout_block_bytes;
  a.suppattr_exclcreat = kSettable;
  a.fs_charset_cap = nfs::FSCHARSET_CAP4_ALLOWS_ONLY_UTF8;

  if (facts_.open_arguments) {
    a.present.set(nfs::FATTR4_OPEN_ARGUMENTS);
    a.supported_attrs.set(nfs::FATTR4_OPEN_ARGUMENTS);
    a.open_arguments = open_arguments();
  }

  // What takes memory or a query is made only when it was asked for.
  if (wanted.has(nfs::FATTR4_FILEHANDLE)) a.filehandle.bytes = arena.copy(std::span<const std::byte>(handle.to_wire()));
  if (wanted.has(nfs::FATTR4_OWNER)) a.owner = number_text(n.uid, arena);
  if (wanted.has(nfs::FATTR4_OWNER_GROUP)) a.owner_group = number_text(n.gid, arena);
  if (wanted.has(nfs::FATTR4_FS_LAYOUT_TYPES)) a.fs_layout_types = copy_types(facts_.layout_types, arena);
  if (wanted.has(nfs::FATTR4_LAYOUT_TYPES) && n.type == volume::FileType::regular) {
    a.layout_types = copy_types(facts_.layout_types, arena);
  }
  if (wanted.has(nfs::FATTR4_MDSTHRESHOLD)) a.mdsthreshold = thresholds_of(facts_, arena);
  if (!(wanted & kSpaceAttributes).none()) {
    const volume::SpaceReport space = extents_.space();
    a.space_avail = a.space_free = space.free_bytes;
    a.space_total = space.total_bytes;
    // The catalog sets no number of files; what the volume could hold at one block each is the honest bound.
    a.files_avail = a.files_free = space.free_bytes / volume::kExtentAlign;
    a.files_total = space.total_bytes / volume::kExtentAlign;
  }
  if (wanted.has(nfs::FATTR4_SPACE_USED) && n.type == volume::FileType::regular) {
    auto mapped = extents_.mapped_bytes(n.fileid);
    if (!mapped) return volume_status(mapped.error());
    a.space_used = *mapped;
  }
  out = nfs::encode_attributes(arena, wanted, a);
  return {};
}

void AttributeWriter::write_error(nfs::nfsstat4 status, Arena& arena, nfs::fattr4& out) {
  nfs::Attributes a;
  a.present.set(nfs::FATTR4_RDATTR_ERROR);
  a.rdattr_error = status;
  out = nfs::encode_attributes(arena, a.present, a);
}

std::optional<uint32_t> parse_owner(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('@'));
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (!name.empty() && problem == std::errc{} && end == name.data() + name.size()) return number;
  if (name == "root" || name == "wheel") return 0;
  if (name == "nobody" || name == "nogroup") return 65534;
  return std::nullopt;
}

bitmap4 mask_of(const SetAttributes& set) {
  bitmap4 mask;
  if (set.size) mask.set(nfs::FATTR4_SIZE);
  if (set.mode) mask.set(set.mode_mask ? nfs::FATTR4_MODE_SET_MASKED : nfs::FATTR4_MODE);
  if (set.uid) mask.set(nfs::FATTR4_OWNER);
  if (set.gid) mask.set(nfs::FATTR4_OWNER_GROUP);
  if (set.atime) mask.set(nfs::FATTR4_TIME_ACCESS_SET);
  if (set.mtime) mask.set(nfs::FATTR4_TIME_MODIFY_SET);
  if (set.btime) mask.set(nfs::FATTR4_TIME_CREATE);
  if (set.layout_hint) mask.set(nfs::FATTR4_LAYOUT_HINT);
  return mask;
}

}  // namespace pnfs::mds
