// fattr4 to and from an inode (RFC 8881 section 5): which attributes this server has, their values in the order of
// their numbers, and what a client may set.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "common/base/arena.hpp"
#include "common/nfs/file_handle.hpp"
#include "common/nfs/layout.hpp"
#include "mds/namespace/namespace.hpp"

namespace pnfs::mds {

const nfs::bitmap4& supported_attributes();
// What OPEN with EXCLUSIVE4_1 may set: everything settable, since the verifier has a place of its own.
const nfs::bitmap4& exclusive_create_attributes();

// What the values of the file system's attributes come from; the rest is in the inode.
struct FilesystemFacts {
  nfs::fsid4 fsid;
  uint32_t lease_seconds = 90;
  uint32_t max_read_bytes = 1u << 20;
  uint32_t max_write_bytes = 1u << 20;
  std::span<const nfs::layouttype4> layout_types;
  uint32_t layout_block_bytes = 4096;
  std::array<std::optional<uint64_t>, 4> thresholds;  // of MDSTHRESHOLD, in the order of their bits; unset: no hint
  bool open_arguments = false;  // FATTR4_OPEN_ARGUMENTS is offered
};

class AttributeWriter {
 public:
  AttributeWriter(const FilesystemFacts& facts, volume::Extents& extents) : facts_(facts), extents_(extents) {}
  // Unsupported attributes are left out (18.7.3). INVAL: a write-only attribute was asked for. NFS4ERR_* of the volume.
  Status write(const Inode& inode, const nfs::FileHandle& handle, const nfs::bitmap4& wanted, Arena& arena,
               nfs::fattr4& out) const;
  // READDIR's rdattr_error alone: the entry's attributes could not be had.
  static void write_error(nfs::nfsstat4 status, Arena& arena, nfs::fattr4& out);

 private:
  const FilesystemFacts& facts_;
  volume::Extents& extents_;
};

// Decodes what SETATTR, OPEN and CREATE carry. ATTRNOTSUPP, INVAL (a read-only attribute, a bad value), BADXDR,
// BADOWNER. Views in `out` live as long as `attributes` and the arena.
Status read_settable(const nfs::fattr4& attributes, Arena& arena, SetAttributes& out);
// The attributes of which `set` holds values, as OPEN4resok's attrset and SETATTR4res's attrsset want them.
nfs::bitmap4 mask_of(const SetAttributes& set);

// "1000", or a name of the small table that needs no look-up; a domain is ignored. nullopt: BADOWNER.
std::optional<uint32_t> parse_owner(std::string_view text);

}  // namespace pnfs::mds
