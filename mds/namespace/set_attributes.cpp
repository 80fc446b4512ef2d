// Attributes that change: by SETATTR, OPEN and CREATE, and by data being written (RFC 8881 5.8, 18.30).
#include "mds/namespace/privileges.hpp"

namespace pnfs::mds {

using nfs::fail;
using volume::FileType;

namespace {
constexpr uint32_t kGroupExecute = 010;

}  // namespace

bool is_privileged(FileType type, uint32_t mode) {
  return type == FileType::regular &&
         ((mode & kSetUid) != 0 || (mode & (kSetGid | kGroupExecute)) == (kSetGid | kGroupExecute));
}

void drop_privileges(Inode& inode) {
  if (inode.type == FileType::directory) return;
  inode.mode &= ~kSetUid;
  // Without group execute, setgid once meant mandatory locking; it gives nobody a privilege and stays.
  if ((inode.mode & kGroupExecute) != 0) inode.mode &= ~kSetGid;
}

Status Namespace::check_set(const Inode& inode, const SetAttributes& set, const Caller& caller,
                            bool size_allowed) const {
  const bool owner = caller.owns(inode);
  if (set.size) {
    if (inode.type == FileType::directory) {
      return fail(nfs::NFS4ERR_INVAL, "18.30.4", "file {} is a directory and has no size to set", inode.fileid);
    }
    if (inode.type != FileType::regular) {
      return fail(nfs::NFS4ERR_INVAL, "18.30.4", "file {} is not a regular file", inode.fileid);
    }
    if (*set.size > kMaxFileBytes) {
      return fail(nfs::NFS4ERR_FBIG, "15.1.4.7", "size {} is beyond {}", *set.size, kMaxFileBytes);
    }
    if (!size_allowed && !caller.may(inode, kMayWrite) && !owner) {
      return fail(nfs::NFS4ERR_ACCESS, "18.30.4", "uid {} may not write file {}", caller.uid, inode.fileid);
    }
  }
  if (set.mode && !owner) {
    return fail(nfs::NFS4ERR_PERM, "18.30.4", "uid {} does not own file {}", caller.uid, inode.fileid);
  }
  if (set.uid && *set.uid != inode.uid && !caller.root()) {
    return fail(nfs::NFS4ERR_PERM, "5.8.2.26", "uid {} may not give file {} to uid {}", caller.uid, inode.fileid,
                *set.uid);
  }
  if ((set.uid || set.gid) && !owner) {
    return fail(nfs::NFS4ERR_PERM, "5.8.2.26", "uid {} does not own file {}", caller.uid, inode.fileid);
  }
  if (set.gid && *set.gid != inode.gid && !caller.root() && !caller.in_group(*set.gid)) {
    return fail(nfs::NFS4ERR_PERM, "5.8.2.27", "uid {} is not in group {}", caller.uid, *set.gid);
  }
  for (const auto* time : {&set.atime, &set.mtime}) {
    if (!*time || owner) continue;
    if (!(*time)->to_server) {
      return fail(nfs::NFS4ERR_PERM, "18.30.4", "uid {} does not own file {}: no times of its own choice", caller.uid,
                  inode.fileid);
    }
    if (!caller.may(inode, kMayWrite)) {
      return fail(nfs::NFS4ERR_ACCESS, "18.30.4", "uid {} may not write file {}", caller.uid, inode.fileid);
    }
  }
  return {};
}

void Namespace::set_fields(Inode& inode, const SetAttributes& set, const Caller& caller, WallTime now) {
  if (set.size) {
    if (*set.size != inode.size || !set.mtime) inode.mtime = now;
    inode.size = *set.size;
    if (!caller.root()) drop_privileges(inode);
  }
  if ((set.uid && *set.uid != inode.uid) || (set.gid && *set.gid != inode.gid)) {
    // chown(2) clears them whoever calls it.
    if (!set.mode) drop_privileges(inode);
  }
  if (set.uid) inode.uid = *set.uid;
  if (set.gid) inode.gid = *set.gid;
  if (set.mode) {
    const uint32_t mask = set.mode_mask.value_or(kModeBits) & kModeBits;
    inode.mode = (inode.mode & ~mask) | (*set.mode & mask);
    // chmod(2): setgid is for members of the group.
    if (inode.type == FileType::regular && !caller.root() && !caller.in_group(inode.gid)) inode.mode &= ~kSetGid;
  }
  if (set.atime) inode.atime = set.atime->to_server ? now : set.atime->time;
  if (set.mtime) inode.mtime = set.mtime->to_server ? now : set.mtime->time;
  if (set.btime) inode.btime = *set.btime;
  if (set.layout_hint) inode.layout_hint = *set.layout_hint;
}

Status Namespace::apply(FileId file, const SetAttributes& set, const Caller& caller, Inode& out) {
  if (Status status = get(file, out); !status) return status;
  auto savepoint = catalog_.begin();
  if (!savepoint) return volume_status(savepoint.error());
  const WallTime now = clock_.wall();
  set_fields(out, set, caller, now);
  out.ctime = now;
  out.change = next_change(out.change);
  if (auto put = catalog_.put(out); !put) return volume_status(put.error());
  if (auto kept = savepoint->release(); !kept) return volume_status(kept.error());
  return {};
}

Status Namespace::wrote(FileId file, uint64_t end, const Caller& caller, Inode& out) {
  if (Status status = get(file, out); !status) return status;
  auto savepoint = catalog_.begin();
  if (!savepoint) return volume_status(savepoint.error());
  if (end > out.size) out.size = end;
  out.mtime = out.ctime = clock_.wall();
  out.change = next_change(out.change);
  if (!caller.root()) drop_privileges(out);
  if (auto put = catalog_.put(out); !put) return volume_status(put.error());
  if (auto kept = savepoint->release(); !kept) return volume_status(kept.error());
  return {};
}

}  // namespace pnfs::mds
