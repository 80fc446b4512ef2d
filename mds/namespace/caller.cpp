#include "mds/namespace/caller.hpp"

#include <algorithm>

namespace pnfs::mds {

namespace {
constexpr uint32_t kSticky = 01000;
}

bool Caller::in_group(uint32_t group) const {
  return gid == group || std::find(gids.begin(), gids.end(), group) != gids.end();
}

uint32_t Caller::allowed(const volume::Inode& inode) const {
  if (root()) {
    // Root executes a file only if somebody may; it searches every directory.
    const bool executable = inode.type == volume::FileType::directory || (inode.mode & 0111) != 0;
    return kMayRead | kMayWrite | (executable ? kMayExecute : 0);
  }
  if (uid == inode.uid) return inode.mode >> 6 & 7;
  if (in_group(inode.gid)) return inode.mode >> 3 & 7;
  return inode.mode & 7;
}

bool Caller::may_unlink(const volume::Inode& dir, const volume::Inode& target) const {
  if ((dir.mode & kSticky) == 0 || root()) return true;
  return uid == target.uid || uid == dir.uid;
}

Caller caller_of(const rpc::Credential& credential, const Squash& squash, Arena& arena) {
  Caller caller{squash.anonymous_uid, squash.anonymous_gid, {}};
  if (credential.flavor != rpc::AuthFlavor::sys || squash.all) return caller;
  if (squash.root && credential.uid == 0) return caller;
  caller.uid = credential.uid;
  caller.gid = squash.root && credential.gid == 0 ? squash.anonymous_gid : credential.gid;
  caller.gids = credential.gids;
  if (squash.root && std::ranges::find(credential.gids, 0u) != credential.gids.end()) {
    const auto gids = arena.make_array<uint32_t>(credential.gids.size());
    std::ranges::replace_copy(credential.gids, gids.begin(), 0u, squash.anonymous_gid);
    caller.gids = gids;
  }
  return caller;
}

}  // namespace pnfs::mds
