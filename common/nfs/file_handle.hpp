// What our nfs_fh4 says. Both servers make and read handles through this header, because a data server is handed the
// MDS's file under a handle of its own kind (RFC 8881 13.7: the data server's handle need not be the MDS's).
//
// A handle names a file of one volume for as long as the file exists (FH4_PERSISTENT): nothing in it depends on the
// server's start, on a path or on memory. Everything that comes back is hostile: from_wire() accepts nothing that
// to_wire() would not have written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pnfs::nfs {

enum class HandleKind : uint8_t {
  mds = 1,
  ds = 2,  // valid at data servers only: READ, WRITE, COMMIT
};

struct FileHandle {
  static constexpr size_t kWireBytes = 32;
  static constexpr uint32_t kNoStripe = 0xffffffff;
  using Wire = std::array<std::byte, kWireBytes>;

  HandleKind kind = HandleKind::mds;
  uint64_t volume_id = 0;   // volume_id_of(UUID)
  uint64_t fileid = 0;      // inode number in the catalog, never 0
  uint32_t generation = 0;  // of the inode number, if numbers are ever used again
  // Kind ds under dense packing: the stripe index this handle stands for (RFC 8881 13.4.3); else kNoStripe.
  uint32_t stripe_index = kNoStripe;

  auto operator<=>(const FileHandle&) const = default;

  Wire to_wire() const;
  // nullopt: not a handle of ours (NFS4ERR_BADHANDLE). Whether the file still exists (NFS4ERR_STALE), and whether the
  // volume is the one that is served (also STALE), is for the server to say.
  static std::optional<FileHandle> from_wire(std::span<const std::byte> bytes);

  FileHandle as(HandleKind other) const {
    FileHandle copy = *this;
    copy.kind = other;
    return copy;
  }
};

// 64 bits of a volume's UUID: enough to notice a handle of another volume.
uint64_t volume_id_of(std::span<const std::byte, 16> uuid);

}  // namespace pnfs::nfs
