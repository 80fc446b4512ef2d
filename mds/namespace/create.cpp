// New objects and new names for old ones.
#include "mds/namespace/names.hpp"
#include "mds/namespace/namespace.hpp"

namespace pnfs::mds {

using nfs::fail;
using volume::FileType;

Status Namespace::create(const Inode& dir, std::string_view name, const NewObject& object, const Caller& caller,
                         Inode& made, ChangeInfo& change) {
  if (Status status = check_name(name); !status) return status;
  if (Status status = check_dir(dir, caller, kMayExecute, "18.4.3"); !status) return status;
  if (object.type == FileType::symlink) {
    if (Status status = check_link_text(object.link_text); !status) return status;
  }
  // A name that is taken is told before a directory that may not be written: what POSIX callers expect.
  if (auto taken = catalog_.lookup(dir.fileid, name)) {
    return fail(nfs::NFS4ERR_EXIST, "18.4.3", "directory {} has \"{}\" already", dir.fileid, name);
  } else if (taken.error().code != Errc::not_found) {
    return volume_status(taken.error());
  }
  if (Status status = check_dir(dir, caller, kMayWrite | kMayExecute, "18.4.3"); !status) return status;
  if (dir.nlink == 0) return fail(nfs::NFS4ERR_STALE, "15.1.2.6", "directory {} was removed", dir.fileid);
  if (object.type == FileType::directory && dir.nlink >= kMaxLinks) {
    return fail(nfs::NFS4ERR_MLINK, "15.1.4.11", "directory {} has {} links already", dir.fileid, dir.nlink);
  }
  const SetAttributes& set = object.attributes;
  if (set.uid && *set.uid != caller.uid && !caller.root()) {
    return fail(nfs::NFS4ERR_PERM, "5.8.2.26", "uid {} may not give files to uid {}", caller.uid, *set.uid);
  }

  auto savepoint = catalog_.begin();
  if (!savepoint) return volume_status(savepoint.error());
  auto fileid = catalog_.allocate_fileid();
  if (!fileid) return volume_status(fileid.error());
  const WallTime now = clock_.wall();
  Inode inode;
  inode.fileid = *fileid;
  inode.generation = *fileid ^ (static_cast<uint64_t>(now.seconds) << 20 | now.nanoseconds >> 10);
  inode.type = object.type;
  inode.uid = caller.uid;
  inode.gid = (dir.mode & kSetGid) != 0 ? dir.gid : caller.gid;
  inode.mode = object.type == FileType::symlink ? 0777 : object.type == FileType::directory ? 0755 : 0644;
  inode.nlink = object.type == FileType::directory ? 2 : 1;
  inode.atime = inode.mtime = inode.ctime = inode.btime = now;
  inode.change = next_change(0);
  inode.rdev_major = object.rdev_major;
  inode.rdev_minor = object.rdev_minor;
  if (object.type == FileType::directory) inode.parent = dir.fileid;
  if (object.type == FileType::symlink) {
    inode.symlink_target = object.link_text;
    inode.size = object.link_text.size();
  }
  if (object.verifier) {
    inode.create_verifier = *object.verifier;
    inode.has_create_verifier = true;
  }
  SetAttributes fields = set;
  if (object.type != FileType::regular) fields.size.reset();
  if (object.type == FileType::symlink) fields.mode.reset();
  set_fields(inode, fields, caller, now);
  // The directory's striping, and over it what the client wishes for.
  if (object.type == FileType::regular && hint_for_new_) {
    const std::string words = hint_for_new_(dir);
    if (!words.empty()) inode.layout_hint = words + " " + inode.layout_hint;
  }
  if (object.type == FileType::directory && (dir.mode & kSetGid) != 0) inode.mode |= kSetGid;

  if (auto put = catalog_.put(inode); !put) return volume_status(put.error());
  if (auto entry = catalog_.insert_entry(dir.fileid, name, inode.fileid); !entry) return volume_status(entry.error());
  Inode parent = dir;
  if (Status status = touch_dir(parent, object.type == FileType::directory ? 1 : 0, change); !status) return status;
  if (auto kept = savepoint->release(); !kept) return volume_status(kept.error());
  made = std::move(inode);
  return {};
}

Status Namespace::link(const Inode& file, const Inode& dir, std::string_view name, const Caller& caller,
                       ChangeInfo& change) {
  if (file.type == FileType::directory) {
    return fail(nfs::NFS4ERR_ISDIR, "18.9.3", "file {} is a directory", file.fileid);
  }
  if (Status status = check_dir(dir, caller, kMayExecute, "18.9.3"); !status) return status;
  if (Status status = check_name(name); !status) return status;
  if (auto taken = catalog_.lookup(dir.fileid, name)) {
    return fail(nfs::NFS4ERR_EXIST, "18.9.3", "directory {} has \"{}\" already", dir.fileid, name);
  } else if (taken.error().code != Errc::not_found) {
    return volume_status(taken.error());
  }
  if (Status status = check_dir(dir, caller, kMayWrite | kMayExecute, "18.9.3"); !status) return status;
  if (file.nlink == 0 || dir.nlink == 0) {
    return fail(nfs::NFS4ERR_STALE, "15.1.2.6", "file {} or directory {} was removed", file.fileid, dir.fileid);
  }
  if (file.nlink >= kMaxLinks) {
    return fail(nfs::NFS4ERR_MLINK, "15.1.4.11", "file {} has {} links already", file.fileid, file.nlink);
  }
  auto savepoint = catalog_.begin();
  if (!savepoint) return volume_status(savepoint.error());
  if (auto entry = catalog_.insert_entry(dir.fileid, name, file.fileid); !entry) return volume_status(entry.error());
  Inode linked = file;
  ++linked.nlink;
  linked.ctime = clock_.wall();
  linked.change = next_change(linked.change);
  if (auto put = catalog_.put(linked); !put) return volume_status(put.error());
  Inode parent = dir;
  if (Status status = touch_dir(parent, 0, change); !status) return status;
  if (auto kept = savepoint->release(); !kept) return volume_status(kept.error());
  return {};
}

}  // namespace pnfs::mds
