// Names go, and with the last one the object (RFC 8881 18.25, 18.26).
#include "mds/namespace/names.hpp"
#include "mds/namespace/namespace.hpp"

namespace pnfs::mds {

using nfs::fail;
using volume::FileType;

namespace {

Status check_unlink(const Caller& caller, const Inode& dir, const Inode& victim, std::string_view section) {
  if (caller.may_unlink(dir, victim)) return {};
  return {nfs::NFS4ERR_ACCESS, section,
          fmt::format("directory {} is sticky and uid {} owns neither it nor file {}", dir.fileid, caller.uid,
                      victim.fileid)};
}

}  // namespace

// One name of the inode went. With the last one it becomes an orphan, whoever may still have it open.
Status Namespace::unlink_inode(Inode& victim, bool& last_name) {
  victim.ctime = clock_.wall();
  victim.change = next_change(victim.change);
  victim.nlink = victim.type == FileType::directory ? 0 : victim.nlink - 1;
  last_name = victim.nlink == 0;
  if (auto put = catalog_.put(victim); !put) return volume_status(put.error());
  return {};
}

Status Namespace::remove(const Inode& dir, std::string_view name, const Caller& caller, Removed& out) {
  if (Status status = check_dir(dir, caller, kMayExecute, "18.25.3"); !status) return status;
  Inode victim;
  if (Status status = lookup(dir, name, caller, victim); !status) return status;
  if (Status status = check_dir(dir, caller, kMayWrite | kMayExecute, "18.25.3"); !status) return status;
  if (Status status = check_unlink(caller, dir, victim, "18.25.3"); !status) return status;
  const bool directory = victim.type == FileType::directory;
  if (directory) {
    auto empty = catalog_.is_empty(victim.fileid);
    if (!empty) return volume_status(empty.error());
    if (!*empty) return fail(nfs::NFS4ERR_NOTEMPTY, "18.25.3", "directory {} is not empty", victim.fileid);
  }
  auto savepoint = catalog_.begin();
  if (!savepoint) return volume_status(savepoint.error());
  if (auto erased = catalog_.erase_entry(dir.fileid, name); !erased) return volume_status(erased.error());
  if (Status status = unlink_inode(victim, out.last_name); !status) return status;
  Inode parent = dir;
  if (Status status = touch_dir(parent, directory ? -1 : 0, out.change); !status) return status;
  if (auto kept = savepoint->release(); !kept) return volume_status(kept.error());
  out.file = victim.fileid;
  if (out.last_name && orphaned_) orphaned_(victim.fileid);
  return {};
}

// A directory must not become its own ancestor (18.26.3: NFS4ERR_INVAL).
Status Namespace::check_subtree(FileId moved, const Inode& to) {
  FileId at = to.fileid;
  while (at != volume::kRootFileId) {
    if (at == moved) {
      return fail(nfs::NFS4ERR_INVAL, "18.26.3", "directory {} would come to lie below itself", moved);
    }
    auto inode = catalog_.get(at);
    if (!inode) return volume_status(inode.error());
    if (inode->parent == at || inode->parent == 0) break;
    at = inode->parent;
  }
  return {};
}

Status Namespace::rename(const Inode& from, std::string_view old_name, const Inode& to, std::string_view new_name,
                         const Caller& caller, Renamed& out) {
  for (const Inode* dir : {&from, &to}) {
    if (Status status = check_dir(*dir, caller, kMayExecute, "18.26.3"); !status) return status;
  }
  if (Status status = check_name(old_name); !status) return status;
  if (Status status = check_name(new_name); !status) return status;
  Inode moved;
  if (Status status = lookup(from, old_name, caller, moved); !status) return status;
  for (const Inode* dir : {&from, &to}) {
    if (Status status = check_dir(*dir, caller, kMayWrite | kMayExecute, "18.26.3"); !status) return status;
  }
  if (to.nlink == 0) return fail(nfs::NFS4ERR_STALE, "15.1.2.6", "directory {} was removed", to.fileid);
  if (Status status = check_unlink(caller, from, moved, "18.26.3"); !status) return status;
  out.file = moved.fileid;
  out.source = {from.change, from.change};
  out.target = {to.change, to.change};

  const bool directory = moved.type == FileType::directory;
  const bool other_dir = from.fileid != to.fileid;
  Inode replaced;
  Status found = lookup(to, new_name, caller, replaced);
  if (!found && found.status != nfs::NFS4ERR_NOENT) return found;
  const bool replaces = found.ok();
  if (replaces) {
    // Two names of one object: nothing happens (18.26.3).
    if (replaced.fileid == moved.fileid) return {};
    if (Status status = check_unlink(caller, to, replaced, "18.26.3"); !status) return status;
    if ((replaced.type == FileType::directory) != directory) {
      return fail(nfs::NFS4ERR_EXIST, "18.26.3", "\"{}\" is {} directory and file {} is {}", new_name,
                  directory ? "no" : "a", moved.fileid, directory ? "one" : "not");
    }
  }
  if (directory && other_dir) {
    if (Status status = check_subtree(moved.fileid, to); !status) return status;
    if (!caller.may(moved, kMayWrite)) {
      return fail(nfs::NFS4ERR_ACCESS, "18.26.3", "uid {} may not change directory {}, whose parent would change",
                  caller.uid, moved.fileid);
    }
  }
  if (replaces && directory) {
    auto empty = catalog_.is_empty(replaced.fileid);
    if (!empty) return volume_status(empty.error());
    if (!*empty) return fail(nfs::NFS4ERR_NOTEMPTY, "18.26.3", "directory {} is not empty", replaced.fileid);
  }
  if (directory && other_dir && !replaces && to.nlink >= kMaxLinks) {
    return fail(nfs::NFS4ERR_MLINK, "15.1.4.11", "directory {} has {} links already", to.fileid, to.nlink);
  }

  auto savepoint = catalog_.begin();
  if (!savepoint) return volume_status(savepoint.error());
  bool last_name = false;
  if (replaces) {
    if (Status status = unlink_inode(replaced, last_name); !status) return status;
    if (auto done = catalog_.repoint_entry(to.fileid, new_name, moved.fileid); !done) {
      return volume_status(done.error());
    }
  } else if (auto done = catalog_.insert_entry(to.fileid, new_name, moved.fileid); !done) {
    return volume_status(done.error());
  }
  if (auto erased = catalog_.erase_entry(from.fileid, old_name); !erased) return volume_status(erased.error());
  moved.ctime = clock_.wall();
  moved.change = next_change(moved.change);
  if (directory) moved.parent = to.fileid;
  if (auto put = catalog_.put(moved); !put) return volume_status(put.error());

  Inode source = from, target = to;
  if (other_dir) {
    if (Status status = touch_dir(source, directory ? -1 : 0, out.source); !status) return status;
    if (Status status = touch_dir(target, directory && !replaces ? 1 : 0, out.target); !status) return status;
  } else {
    if (Status status = touch_dir(source, directory && replaces ? -1 : 0, out.source); !status) return status;
    out.target = out.source;
  }
  if (auto kept = savepoint->release(); !kept) return volume_status(kept.error());
  if (replaces) out.replaced = replaced.fileid;
  if (last_name && orphaned_) orphaned_(replaced.fileid);
  return {};
}

}  // namespace pnfs::mds
