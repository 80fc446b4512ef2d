#include "testbed/inspect/tree.hpp"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <ctime>

#include "testbed/inspect/documents.hpp"
#include "testbed/inspect/helpers.hpp"

namespace pnfs::inspect {

using volume::FileId;
using volume::FileType;
using volume::Inode;
using volume::Snapshot;

namespace {

constexpr mode_t kFolder = S_IFDIR | 0555;
constexpr mode_t kDocument = S_IFREG | 0444;
constexpr mode_t kWritable = S_IFREG | 0644;
constexpr size_t kStatBlock = 512;

struct Name {
  std::string_view name;
  Fixed node;
  Fixed folder;
  mode_t mode;
};
constexpr Name kNames[] = {
    {"files", Fixed::files, Fixed::root, kFolder},
    {"inodes", Fixed::inodes, Fixed::root, kFolder},
    {"volume", Fixed::volume, Fixed::root, kFolder},
    {"live", Fixed::live, Fixed::root, kFolder},
    {"control", Fixed::control, Fixed::root, kFolder},
    {"superblock", Fixed::superblock, Fixed::volume, kDocument},
    {"nodes", Fixed::nodes, Fixed::volume, kDocument},
    {"reservations", Fixed::reservations, Fixed::volume, kDocument},
    {"free", Fixed::free, Fixed::volume, kDocument},
    {"catalog.sqlite", Fixed::catalog, Fixed::volume, kDocument},
    // Everything on the volume, whoever may read which file: the owner of the view only.
    {"raw", Fixed::raw, Fixed::volume, S_IFREG | 0400},
    {"pnfs_dlm_device", Fixed::pnfs_dlm_device, Fixed::control, kWritable},
    {"faults", Fixed::faults, Fixed::control, kWritable},
    {"recall", Fixed::recall, Fixed::control, kWritable},
    {"grace", Fixed::grace, Fixed::control, kWritable},
    {"last_error", Fixed::last_error, Fixed::control, kDocument},
};
constexpr std::string_view kParts[] = {"data", "extents", "attributes.json", "layout.json", "stripes"};

const Name* find_fixed(Fixed which) {
  for (const Name& each : kNames)
    if (each.node == which) return &each;
  return nullptr;
}

mode_t type_bits(FileType type) {
  switch (type) {
    case FileType::regular:
      return S_IFREG;
    case FileType::directory:
      return S_IFDIR;
    case FileType::block_device:
      return S_IFBLK;
    case FileType::character_device:
      return S_IFCHR;
    case FileType::symlink:
      return S_IFLNK;
    case FileType::socket:
      return S_IFSOCK;
    case FileType::fifo:
      return S_IFIFO;
  }
  return S_IFREG;
}

struct stat plain(NodeId node, mode_t mode, uint64_t size) {
  struct stat s {};
  s.st_ino = to_ino(node);
  s.st_mode = mode;
  s.st_nlink = S_ISDIR(mode) ? 2 : 1;
  s.st_size = static_cast<off_t>(size);
  s.st_blocks = static_cast<blkcnt_t>((size + kStatBlock - 1) / kStatBlock);
  s.st_blksize = 4096;
  s.st_uid = getuid();
  s.st_gid = getgid();
  // Made when it is asked for, as in /proc.
  clock_gettime(CLOCK_REALTIME, &s.st_mtim);
  s.st_atim = s.st_ctim = s.st_mtim;
  return s;
}

timespec to_timespec(const WallTime& t) {
  return {static_cast<time_t>(t.seconds), static_cast<long>(t.nanoseconds)};
}

struct stat inode_stat(const Inode& inode) {
  struct stat s = plain({Kind::file, 0, inode.fileid}, type_bits(inode.type) | inode.mode, inode.size);
  if (inode.type == FileType::symlink) s.st_size = static_cast<off_t>(inode.symlink_target.size());
  s.st_nlink = inode.nlink;
  s.st_uid = inode.uid;
  s.st_gid = inode.gid;
  s.st_blocks = static_cast<blkcnt_t>(inode.space_used / kStatBlock);
  s.st_rdev = makedev(inode.rdev_major, inode.rdev_minor);
  s.st_atim = to_timespec(inode.atime);
  s.st_mtim = to_timespec(inode.mtime);
  s.st_ctim = to_timespec(inode.ctime);
  return s;
}

Error no_such(std::string_view name) {
  return error(Errc::not_found, "there is no '{}' here", name);
}

Item fixed_item(const Name& name) {
  return {std::string(name.name), fixed(name.node), plain(fixed(name.node), name.mode, 0)};
}

Item inode_folder(FileId fileid) {
  const NodeId node{Kind::inode, 0, fileid};
  return {std::to_string(fileid), node, plain(node, kFolder, 0), fileid};
}

}  // namespace

bool Tree::is_control(NodeId node) {
  if (node.kind != Kind::fixed) return false;
  const Name* name = find_fixed(static_cast<Fixed>(node.which));
  return name != nullptr && name->mode == kWritable;
}

// --- attributes ---

io::Task<Result<struct stat>> Tree::attributes(NodeId node) {
  if (node.kind == Kind::fixed && node.which == static_cast<uint16_t>(Fixed::files))
    node = {Kind::file, 0, volume::kRootFileId};
  if (node.kind == Kind::fixed) co_return co_await fixed_attributes(static_cast<Fixed>(node.which));
  if (node.kind == Kind::live) co_return plain(node, kDocument, 0);
  auto picture = co_await source_.recent();
  if (!picture) co_return picture.error();
  co_return part_attributes(**picture, node);
}

io::Task<Result<struct stat>> Tree::fixed_attributes(Fixed which) {
  if (which == Fixed::root) co_return plain(fixed(which), kFolder, 0);
  const Name* name = find_fixed(which);
  if (name == nullptr) co_return no_such("node");
  struct stat s = plain(fixed(which), name->mode, 0);
  if (name->folder == Fixed::control) s.st_size = static_cast<off_t>(which == Fixed::last_error ? last_error_.size() : 0);
  if (name->folder != Fixed::volume) co_return s;
  if (which == Fixed::raw) co_return plain(fixed(which), name->mode, source_.bytes());
  auto picture = co_await source_.recent();
  if (!picture) co_return picture.error();
  if (which == Fixed::catalog) co_return plain(fixed(which), name->mode, (*picture)->database_bytes());
  auto text = co_await fixed_text(*picture, which);
  if (!text) co_return text.error();
  co_return plain(fixed(which), name->mode, text->size());
}

// Of what hangs on a fileid.
Result<struct stat> Tree::part_attributes(Snapshot& picture, NodeId node) {
  auto inode = picture.catalog().get(node.fileid);
  if (!inode) return inode.error();
  if (node.kind == Kind::file) return inode_stat(*inode);
  struct stat s = plain(node, kFolder, 0);
  if (node.kind == Kind::stripe) {
    auto stripes = stripes_of(picture, node.fileid);
    if (!stripes) return stripes.error();
    if (node.which >= stripes->size()) return no_such("stripe");
    const StripeFile& stripe = (*stripes)[node.which];
    s = plain(node, kDocument, stripe.size(inode->size));
    s.st_blocks = static_cast<blkcnt_t>(inode->space_used / kStatBlock * stripe.set.indices.size() / stripe.set.count);
  } else if (node.kind == Kind::inode_part && node.which == static_cast<uint16_t>(Part::data)) {
    s = plain(node, kDocument, inode->type == FileType::regular ? inode->size : 0);
    s.st_blocks = static_cast<blkcnt_t>(inode->space_used / kStatBlock);
  } else if (node.kind == Kind::inode_part && node.which != static_cast<uint16_t>(Part::stripes)) {
    auto text = part_text(picture, node);
    if (!text) return text.error();
    s = plain(node, kDocument, text->size());
  }
  s.st_mtim = to_timespec(inode->mtime);
  s.st_ctim = to_timespec(inode->ctime);
  s.st_atim = to_timespec(inode->atime);
  return s;
}

// --- look-up ---

io::Task<Result<Item>> Tree::lookup(NodeId parent, std::string name) {
  const auto which = static_cast<Fixed>(parent.which);
  if (parent.kind == Kind::fixed && which == Fixed::live) {
    const auto& names = LabSide::live_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end() || !lab_.up()) co_return no_such(name);
    const NodeId node{Kind::live, static_cast<uint16_t>(found - names.begin()), 0};
    co_return Item{name, node, plain(node, kDocument, 0)};
  }
  if (parent.kind == Kind::fixed && which != Fixed::files && which != Fixed::inodes) {
    auto item = look_up_fixed(which, name);
    if (!item) co_return item.error();
    auto attributes = co_await this->attributes(item->node);
    if (!attributes) co_return attributes.error();
    item->attributes = *attributes;
    co_return item;
  }
  auto picture = co_await source_.recent();
  if (!picture) co_return picture.error();
  Snapshot& now = **picture;
  if (parent.kind == Kind::fixed && which == Fixed::inodes) co_return look_up_inode(now, name);
  if (parent.kind == Kind::inode) co_return look_up_part(now, parent.fileid, name);
  if (parent == part(Part::stripes, parent.fileid)) co_return look_up_stripe(now, parent.fileid, name);
  const FileId dir = parent.kind == Kind::file ? parent.fileid : volume::kRootFileId;
  auto entry = now.catalog().lookup(dir, name);
  if (!entry) co_return entry.error();
  auto inode = now.catalog().get(entry->fileid);
  if (!inode) co_return inode.error();
  if (inode->fileid > kMostFileId) co_return error(Errc::too_large, "fileid {} is beyond this view", inode->fileid);
  co_return Item{name, {Kind::file, 0, inode->fileid}, inode_stat(*inode)};
}

Result<Item> Tree::look_up_fixed(Fixed folder, std::string_view name) {
  for (const Name& each : kNames)
    if (each.folder == folder && each.name == name) return fixed_item(each);
  return no_such(name);
}

Result<Item> Tree::look_up_inode(Snapshot& picture, std::string_view name) {
  FileId id = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), id);
  const bool number = problem == std::errc{} && end == name.data() + name.size() && !name.starts_with('0');
  if (!number || id > kMostFileId) return no_such(name);
  if (auto inode = picture.catalog().get(id); !inode) return inode.error();
  return inode_folder(id);
}

Result<Item> Tree::look_up_part(Snapshot& picture, FileId fileid, std::string_view name) {
  const auto found = std::find(std::begin(kParts), std::end(kParts), name);
  if (found == std::end(kParts)) return no_such(name);
  const NodeId node = part(static_cast<Part>(found - std::begin(kParts)), fileid);
  auto attributes = part_attributes(picture, node);
  if (!attributes) return attributes.error();
  return Item{std::string(name), node, *attributes};
}

Result<std::vector<StripeFile>> Tree::stripes_of(Snapshot& picture, FileId fileid) {
  auto inode = picture.catalog().get(fileid);
  if (!inode) return inode.error();
  auto record = striping_of(picture, *inode);
  if (!record) return record.error();
  if (!*record) return std::vector<StripeFile>();
  return stripe_files(**record, fileid);
}

Result<Item> Tree::look_up_stripe(Snapshot& picture, FileId fileid, std::string_view name) {
  auto stripes = stripes_of(picture, fileid);
  if (!stripes) return stripes.error();
  for (size_t i = 0; i < stripes->size(); ++i) {
    if ((*stripes)[i].name != name) continue;
    const NodeId node{Kind::stripe, static_cast<uint16_t>(i), fileid};
    auto attributes = part_attributes(picture, node);
    if (!attributes) return attributes.error();
    return Item{std::string(name), node, *attributes};
  }
  return no_such(name);
}

io::Task<Result<std::string>> Tree::link_target(NodeId node) {
  auto picture = co_await source_.recent();
  if (!picture) co_return picture.error();
  auto inode = (*picture)->catalog().get(node.fileid);
  if (!inode) co_return inode.error();
  if (node.kind != Kind::file || inode->type != FileType::symlink)
    co_return error(Errc::invalid, "file {} is no symbolic link", node.fileid);
  co_return inode->symlink_target;
}

// --- folders ---

io::Task<Result<std::unique_ptr<OpenFolder>>> Tree::open_folder(NodeId node) {
  auto folder = std::make_unique<OpenFolder>();
  folder->node = node;
  const auto which = static_cast<Fixed>(node.which);
  if (node.kind == Kind::fixed && which == Fixed::files) folder->node = {Kind::file, 0, volume::kRootFileId};
  if (node.kind == Kind::fixed && which != Fixed::files && which != Fixed::inodes) {
    folder->listed = true;
    if (which == Fixed::live) {
      const auto& names = LabSide::live_names();
      for (size_t i = 0; lab_.up() && i < names.size(); ++i) {
        const NodeId each{Kind::live, static_cast<uint16_t>(i), 0};
        folder->items.push_back({names[i], each, plain(each, kDocument, 0)});
      }
    }
    for (const Name& each : kNames)
      if (each.folder == which) folder->items.push_back(fixed_item(each));
    co_return folder;
  }
  auto picture = co_await source_.fresh();
  if (!picture) co_return picture.error();
  folder->picture = *picture;
  if (node.kind == Kind::inode || node.kind == Kind::inode_part) {
    auto items = short_list(**picture, node);
    if (!items) co_return items.error();
    folder->items = std::move(*items);
    folder->listed = true;
  } else if (folder->node.kind == Kind::file) {
    auto inode = (*picture)->catalog().get(folder->node.fileid);
    if (!inode) co_return inode.error();
  }
  co_return folder;
}

Result<std::vector<Item>> Tree::short_list(Snapshot& picture, NodeId folder) {
  std::vector<Item> items;
  if (folder.kind == Kind::inode) {
    for (const std::string_view name : kParts) {
      auto item = look_up_part(picture, folder.fileid, name);
      if (!item) return item.error();
      items.push_back(std::move(*item));
    }
    return items;
  }
  auto stripes = stripes_of(picture, folder.fileid);
  if (!stripes) return stripes.error();
  for (const StripeFile& stripe : *stripes) {
    auto item = look_up_stripe(picture, folder.fileid, stripe.name);
    if (!item) return item.error();
    items.push_back(std::move(*item));
  }
  return items;
}

Result<std::vector<Item>> Tree::list(const OpenFolder& folder, uint64_t after, size_t most) {
  if (!folder.listed) return list_catalog(folder, after, most);
  std::vector<Item> items;
  for (size_t i = after; i < folder.items.size() && items.size() < most; ++i) {
    items.push_back(folder.items[i]);
    items.back().next = i + 1;
  }
  return items;
}

Result<std::vector<Item>> Tree::list_catalog(const OpenFolder& folder, uint64_t after, size_t most) {
  std::vector<Item> items;
  volume::Catalog& catalog = folder.picture->catalog();
  if (folder.node.kind == Kind::fixed) {  // inodes/
    auto ids = folder.picture->fileids(after, most);
    if (!ids) return ids.error();
    for (const FileId id : *ids)
      if (id <= kMostFileId) items.push_back(inode_folder(id));
    return items;
  }
  auto batch = catalog.list_with_inodes(folder.node.fileid, after, most);
  if (!batch) return batch.error();
  for (const auto& listed : *batch) {
    if (listed.inode.fileid > kMostFileId) continue;
    items.push_back({listed.entry.name, {Kind::file, 0, listed.inode.fileid}, inode_stat(listed.inode), listed.entry.cookie});
  }
  return items;
}

io::Task<Result<volume::SpaceReport>> Tree::space() {
  auto picture = co_await source_.recent();
  if (!picture) co_return picture.error();
  co_return (*picture)->space();
}

}  // namespace pnfs::inspect
