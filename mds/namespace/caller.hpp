// Who asks, after root squash, and what the permission bits let them do (AUTH_SYS; RFC 8881 6.2.4, POSIX rules).
#pragma once

#include <cstdint>
#include <span>

#include "common/rpc/message.hpp"
#include "common/volume/types.hpp"
#include "common/base/arena.hpp"
#include "mds/exports.hpp"

namespace pnfs::mds {

// Permission bits, as in one octal digit of a mode.
inline constexpr uint32_t kMayRead = 4;
inline constexpr uint32_t kMayWrite = 2;
inline constexpr uint32_t kMayExecute = 1;

struct Caller {
  uint32_t uid = 65534;
  uint32_t gid = 65534;
  std::span<const uint32_t> gids;  // supplementary; in the request's arena

  bool root() const { return uid == 0; }
  bool in_group(uint32_t group) const;
  bool owns(const volume::Inode& inode) const { return root() || uid == inode.uid; }
  // Every one of the `want` bits.
  bool may(const volume::Inode& inode, uint32_t want) const { return (allowed(inode) & want) == want; }
  uint32_t allowed(const volume::Inode& inode) const;
  // Sticky directories: only the owner of the entry or of the directory removes or renames it.
  bool may_unlink(const volume::Inode& dir, const volume::Inode& target) const;
};

// AUTH_NONE and squashed callers become the anonymous user; with root squash group 0 becomes the anonymous group wherever
// it stands.
Caller caller_of(const rpc::Credential& credential, const Squash& squash, Arena& arena);

}  // namespace pnfs::mds
