// Looking up and the parts that all changes share.
#include "mds/namespace/namespace.hpp"

#include "mds/namespace/names.hpp"

namespace pnfs::mds {

using nfs::fail;
using volume::FileType;

Status volume_status(const Error& error) {
  switch (error.code) {
    case Errc::not_found:
      return fail(nfs::NFS4ERR_NOENT, "15.1.4.12", "{}", error.reason);
    case Errc::exists:
      return fail(nfs::NFS4ERR_EXIST, "15.1.4.6", "{}", error.reason);
    case Errc::no_space:
      return fail(nfs::NFS4ERR_NOSPC, "15.1.4.14", "{}", error.reason);
    case Errc::busy:
      return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "{}", error.reason);
    case Errc::io:
    case Errc::timeout:
    case Errc::corrupt:
    case Errc::fenced:
    case Errc::closed:
      return fail(nfs::NFS4ERR_IO, "15.1.4.9", "{}", error.reason);
    default:
      return fail(nfs::NFS4ERR_SERVERFAULT, "15.1.1.6", "{}", error.reason);
  }
}

Status Namespace::get(FileId file, Inode& out) {
  auto inode = catalog_.get(file);
  if (inode) {
    out = std::move(*inode);
    return {};
  }
  if (inode.error().code == Errc::not_found) {
    return fail(nfs::NFS4ERR_STALE, "15.1.2.6", "file {} does not exist any more", file);
  }
  return volume_status(inode.error());
}

Status Namespace::get(FileId file, uint32_t generation, Inode& out) {
  if (Status status = get(file, out); !status) return status;
  if (static_cast<uint32_t>(out.generation) != generation) {
    return fail(nfs::NFS4ERR_STALE, "15.1.2.6", "the filehandle is of an earlier file {}", file);
  }
  return {};
}

Status Namespace::check_dir(const Inode& dir, const Caller& caller, uint32_t want, std::string_view section) const {
  if (dir.type != FileType::directory) {
    return {nfs::NFS4ERR_NOTDIR, section, fmt::format("file {} is not a directory", dir.fileid)};
  }
  if (!caller.may(dir, want)) {
    return {nfs::NFS4ERR_ACCESS, section,
            fmt::format("uid {} may not {} directory {} (mode {:o}, owner {})", caller.uid,
                        (want & kMayWrite) != 0 ? "change" : "search", dir.fileid, dir.mode, dir.uid)};
  }
  return {};
}

Status Namespace::lookup(const Inode& dir, std::string_view name, const Caller& caller, Inode& out) {
  if (dir.type == FileType::symlink) {
    return fail(nfs::NFS4ERR_SYMLINK, "18.13.3", "file {} is a symbolic link", dir.fileid);
  }
  if (Status status = check_dir(dir, caller, kMayExecute, "18.13.3"); !status) return status;
  if (Status status = check_name(name); !status) return status;
  auto entry = catalog_.lookup(dir.fileid, name);
  if (!entry) {
    if (entry.error().code == Errc::not_found) {
      return fail(nfs::NFS4ERR_NOENT, "18.13.3", "no \"{}\" in directory {}", name, dir.fileid);
    }
    return volume_status(entry.error());
  }
  auto inode = catalog_.get(entry->fileid);
  if (!inode) {
    // An entry without its inode: the catalog contradicts itself, fsck will say so.
    return fail(nfs::NFS4ERR_IO, "15.1.4.9", "\"{}\" in directory {} leads to file {}: {}", name, dir.fileid,
                entry->fileid, inode.error().reason);
  }
  out = std::move(*inode);
  return {};
}

Status Namespace::parent_of(const Inode& dir, const Caller& caller, Inode& out) {
  if (dir.type == FileType::symlink) {
    return fail(nfs::NFS4ERR_SYMLINK, "18.14.3", "file {} is a symbolic link", dir.fileid);
  }
  if (Status status = check_dir(dir, caller, kMayExecute, "18.14.3"); !status) return status;
  if (dir.fileid == volume::kRootFileId) {
    return fail(nfs::NFS4ERR_NOENT, "18.14.3", "the root of the export has no parent");
  }
  return get(dir.parent, out);
}

uint64_t Namespace::next_change(uint64_t before) const {
  // Wall time in nanoseconds: after a crash that lost unsynced changes the value does not come back with other content.
  const WallTime now = clock_.wall();
  const uint64_t stamp = static_cast<uint64_t>(now.seconds) * 1'000'000'000 + now.nanoseconds;
  return std::max(before + 1, stamp);
}

Status Namespace::touch_dir(Inode& dir, int link_delta, ChangeInfo& change) {
  change.before = dir.change;
  dir.change = next_change(dir.change);
  dir.mtime = dir.ctime = clock_.wall();
  dir.nlink = static_cast<uint32_t>(static_cast<int64_t>(dir.nlink) + link_delta);
  change.after = dir.change;
  if (auto put = catalog_.put(dir); !put) return volume_status(put.error());
  return {};
}

}  // namespace pnfs::mds
