// The file tree over the catalog: looking up, making, naming and removing objects, and their attributes, by the rules
// of RFC 8881 sections 5, 6 and 18 and of POSIX. Each call checks and changes the catalog at once, under one savepoint,
// and never suspends; the reply waits for durability elsewhere (Catalog::ticket()).
//
// A file whose last name goes stays in the catalog with nlink 0 until nobody has it open and no data server can write
// to it any more; `Reaper` sees to that.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/nfs/basic.hpp"
#include "common/nfs/status.hpp"
#include "common/volume/catalog.hpp"
#include "common/volume/extents.hpp"
#include "mds/namespace/caller.hpp"

namespace pnfs::mds {

using nfs::Status;
using volume::FileId;
using volume::Inode;

inline constexpr uint32_t kMaxLinks = 65000;
inline constexpr uint32_t kModeBits = 07777;
inline constexpr uint32_t kSetUid = 04000;
inline constexpr uint32_t kSetGid = 02000;
inline constexpr uint64_t kMaxFileBytes = 0x7fffffffffffffff;

struct ChangeInfo {
  uint64_t before = 0;
  uint64_t after = 0;
};

// A time as SETATTR gives it: the server's own now, or the client's.
struct SetTime {
  bool to_server = true;
  WallTime time;
};

// What is to be set; absent fields stay.
struct SetAttributes {
  std::optional<uint64_t> size;
  std::optional<uint32_t> mode;
  std::optional<uint32_t> mode_mask;  // with mode: only these bits (FATTR4_MODE_SET_MASKED)
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::optional<SetTime> atime;
  std::optional<SetTime> mtime;
  std::optional<WallTime> btime;
  std::optional<std::string_view> layout_hint;
  bool empty() const { return !size && !mode && !uid && !gid && !atime && !mtime && !btime && !layout_hint; }
};

struct NewObject {
  volume::FileType type = volume::FileType::regular;
  std::string_view link_text;
  uint32_t rdev_major = 0, rdev_minor = 0;
  SetAttributes attributes;
  std::optional<volume::CreateVerifier> verifier;
};

// The nfsstat4 of a volume's failure, its reason kept.
Status volume_status(const Error& error);

class Namespace {
 public:
  // Told of each file whose last name went.
  using Orphaned = std::function<void(FileId)>;
  Namespace(volume::Catalog& catalog, volume::Extents& extents, const Clock& clock, Orphaned orphaned)
      : catalog_(catalog), extents_(extents), clock_(clock), orphaned_(std::move(orphaned)) {}

  // What a file made in a directory inherits of its striping (common/control/striping_rules.hpp); without: nothing.
  void set_hint_for_new(std::function<std::string(const Inode& dir)> hint) { hint_for_new_ = std::move(hint); }

  // STALE when it is gone, or when the generation (low 32 bits) is another's.
  Status get(FileId file, uint32_t generation, Inode& out);
  Status get(FileId file, Inode& out);
  // The directory's entry: NOTDIR (SYMLINK for a symlink), ACCESS, the errors of check_name, NOENT.
  Status lookup(const Inode& dir, std::string_view name, const Caller& caller, Inode& out);
  Status parent_of(const Inode& dir, const Caller& caller, Inode& out);

  // EXIST when the name is taken. `made` is the new object; the attributes that were set come back in `set`.
  Status create(const Inode& dir, std::string_view name, const NewObject& object, const Caller& caller, Inode& made,
                ChangeInfo& change);
  struct Removed {
    ChangeInfo change;
    FileId file = 0;
    bool last_name = false;
  };
  Status remove(const Inode& dir, std::string_view name, const Caller& caller, Removed& out);
  struct Renamed {
    ChangeInfo source, target;
    FileId file = 0;      // what was renamed
    FileId replaced = 0;  // what had the new name, 0: nothing
  };
  Status rename(const Inode& from, std::string_view old_name, const Inode& to, std::string_view new_name,
                const Caller& caller, Renamed& out);
  Status link(const Inode& file, const Inode& dir, std::string_view name, const Caller& caller, ChangeInfo& change);

  // May the caller make these changes? size_allowed: an open for writing was shown, so the mode need not allow it.
  Status check_set(const Inode& inode, const SetAttributes& set, const Caller& caller, bool size_allowed) const;
  // Applies all but the freeing of space: a size goes into the inode (the caller has cut the extents). ctime and change
  // move. Unchecked: see check_set.
  Status apply(FileId file, const SetAttributes& set, const Caller& caller, Inode& out);
  // After data changed: mtime, ctime, change, and the size if `end` lies beyond it. Clears setuid and setgid as POSIX
  // wants when somebody but root writes.
  Status wrote(FileId file, uint64_t end, const Caller& caller, Inode& out);

  // A change value beyond `before` that no earlier state of this file had, across crashes too.
  uint64_t next_change(uint64_t before) const;
  volume::Catalog& catalog() { return catalog_; }
  volume::Extents& extents() { return extents_; }

 private:
  Status check_dir(const Inode& dir, const Caller& caller, uint32_t want, std::string_view section) const;
  Status touch_dir(Inode& dir, int link_delta, ChangeInfo& change);
  Status unlink_inode(Inode& victim, bool& last_name);
  Status check_subtree(FileId moved, const Inode& to);
  static void set_fields(Inode& inode, const SetAttributes& set, const Caller& caller, WallTime now);

  volume::Catalog& catalog_;
  volume::Extents& extents_;
  const Clock& clock_;
  Orphaned orphaned_;
  std::function<std::string(const Inode& dir)> hint_for_new_;
};

}  // namespace pnfs::mds
