// What the view's inode numbers mean. They are made from what they stand for, so nothing has to be remembered or
// forgotten, and the names of one file have one number. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace pnfs::inspect {

enum class Kind : uint8_t {
  file,          // files/: any object of the volume's namespace, by fileid, which is its number here
  fixed,         // a folder or document that is always there: `which` is a Fixed
  inode,         // inodes/<fileid>
  inode_part,    // inodes/<fileid>/...: `which` is a Part
  stripe,        // inodes/<fileid>/stripes/<ds>: `which` counts the names of that folder
  live,          // live/<table>: `which` counts the names of that folder
};

enum class Fixed : uint16_t {
  root,
  files,
  inodes,
  volume,
  live,
  control,
  superblock,
  nodes,
  reservations,
  free,
  catalog,
  raw,
  pnfs_dlm_device,
  faults,
  recall,
  grace,
  last_error,
};

enum class Part : uint16_t { data, extents, attributes, layout, stripes };

struct NodeId {
  Kind kind = Kind::file;
  uint16_t which = 0;  // below 4096
  uint64_t fileid = 0;

  bool operator==(const NodeId&) const = default;
};

inline constexpr uint64_t kMostFileId = (uint64_t{1} << 48) - 1;

constexpr NodeId fixed(Fixed which) {
  return {Kind::fixed, static_cast<uint16_t>(which), 0};
}

// Four bits of kind, twelve of `which`, 48 of fileid. FUSE wants 1 for the root of the view, and the volume's root
// directory, whose fileid that is, is `files`.
constexpr uint64_t kRootIno = 1;
constexpr uint64_t to_ino(NodeId id) {
  if (id == fixed(Fixed::root)) return kRootIno;
  if (id == NodeId{Kind::file, 0, kRootIno}) id = fixed(Fixed::files);
  return static_cast<uint64_t>(id.kind) << 60 | uint64_t{id.which} << 48 | id.fileid;
}
constexpr std::optional<NodeId> from_ino(uint64_t ino) {
  if (ino == kRootIno) return fixed(Fixed::root);
  const auto kind = static_cast<Kind>(ino >> 60);
  if (kind > Kind::live) return std::nullopt;
  return NodeId{kind, static_cast<uint16_t>(ino >> 48 & 0xfff), ino & kMostFileId};
}

constexpr NodeId part(Part which, uint64_t fileid) {
  return {Kind::inode_part, static_cast<uint16_t>(which), fileid};
}

}  // namespace pnfs::inspect
