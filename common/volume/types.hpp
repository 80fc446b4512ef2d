// The records of a volume as the servers see them. Plain values: copying one never touches the catalog.
// All offsets and lengths are bytes. Volume offsets count from the start of the logical unit.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/base/clock.hpp"

namespace pnfs::volume {

using FileId = uint64_t;  // never reused on a volume; 0 is no file
inline constexpr FileId kRootFileId = 1;

// Counts catalog changes. A change is on stable storage once durable(ticket) has returned; tickets only grow.
using Ticket = uint64_t;

// The values are those of nfs_ftype4 (RFC 8881 3.3.13), so that nothing is translated on the way to the wire.
enum class FileType : uint8_t {
  regular = 1,
  directory = 2,
  block_device = 3,
  character_device = 4,
  symlink = 5,
  socket = 6,
  fifo = 7,
};

using CreateVerifier = std::array<std::byte, 8>;  // verifier4

struct Inode {
  FileId fileid = 0;
  uint64_t generation = 0;  // for filehandles: differs between volumes and reformats
  FileType type = FileType::regular;
  uint32_t mode = 0;  // permission bits only (07777)
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t nlink = 1;  // 0: removed but still open; Catalog::orphans() finds it after a restart
  uint64_t size = 0;
  uint64_t space_used = 0;
  uint32_t rdev_major = 0;
  uint32_t rdev_minor = 0;
  WallTime atime, mtime, ctime, btime;
  uint64_t change = 0;  // put() never stores a smaller value than the one stored
  FileId parent = 0;    // directories only (the root is its own parent)
  CreateVerifier create_verifier{};
  bool has_create_verifier = false;
  std::string symlink_target;
  std::string layout_hint;  // opaque, empty if none
  bool operator==(const Inode&) const = default;
};

struct DirEntry {
  FileId dir = 0;
  std::string name;
  FileId fileid = 0;
  uint64_t cookie = 0;  // >= kFirstCookie, unique and growing per directory, never reused
  bool operator==(const DirEntry&) const = default;
};
inline constexpr uint64_t kFirstCookie = 3;  // RFC 8881 18.23.3: 0, 1 and 2 are reserved
inline constexpr size_t kMaxNameBytes = 255;

// A piece of a file and where it lies. Every field is a multiple of kExtentAlign; length is never 0.
struct Extent {
  uint64_t file_offset = 0;
  uint64_t volume_offset = 0;
  uint64_t length = 0;
  uint64_t file_end() const { return file_offset + length; }
  uint64_t volume_end() const { return volume_offset + length; }
  bool operator==(const Extent&) const = default;
};
inline constexpr uint64_t kExtentAlign = 4096;

// What must survive a restart of the MDS for a client to be allowed to reclaim (RFC 8881 8.4.2.1).
struct ClientRecord {
  std::string owner;      // co_ownerid
  std::string principal;  // who created it
  std::array<std::byte, 8> verifier{};
  uint64_t clientid = 0;
  uint64_t boot_instance = 0;  // the server instance in which it was confirmed
  bool reclaim_complete = false;
  WallTime confirmed;
  bool operator==(const ClientRecord&) const = default;
};

// A node (data server) that ever registered in one of the volume's slots.
struct NodeRecord {
  uint32_t slot = 0;  // 1..node_slots; the MDS itself is slot 0 and has no record
  std::string name;
  std::string address;
  uint64_t key = 0;    // persistent reservation key, 0 when not registered
  uint64_t epoch = 0;  // the last MDS epoch it acknowledged
  uint64_t instance = 0;
  bool fenced = false;
  WallTime last_seen;
  bool operator==(const NodeRecord&) const = default;
};

}  // namespace pnfs::volume
