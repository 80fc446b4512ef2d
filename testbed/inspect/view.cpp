#include "testbed/inspect/view.hpp"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <charconv>
#include <cstring>

#include "testbed/inspect/documents.hpp"

namespace pnfs::inspect {

namespace {

using volume::FileId;
using volume::FileType;
using volume::Inode;
using volume::Snapshot;

constexpr size_t kListBatch = 1000;
constexpr const char* kTop[] = {"files", "inodes", "volume"};
constexpr const char* kOfInode[] = {"data", "extents", "attributes.json"};
constexpr const char* kOfVolume[] = {"superblock.json", "nodes.json", "free.json", "catalog.sqlite", "raw"};

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

struct stat plain(mode_t mode, uint64_t size) {
  struct stat s {};
  s.st_mode = mode;
  s.st_nlink = S_ISDIR(mode) ? 2 : 1;
  s.st_size = static_cast<off_t>(size);
  s.st_uid = getuid();
  s.st_gid = getgid();
  return s;
}

timespec to_timespec(const WallTime& t) {
  return {static_cast<time_t>(t.seconds), static_cast<long>(t.nanoseconds)};
}

// "/a/b/c" -> {"a", "b/c"}
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const size_t slash = std::min(path.find('/'), path.size());
  std::string_view rest = path.substr(slash);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return {path.substr(0, slash), rest};
}

Error no_such(std::string_view path) {
  return error(Errc::not_found, "there is no '{}' in this view", path);
}

Result<FileId> parse_fileid(std::string_view text) {
  FileId id = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (ec != std::errc{} || end != text.data() + text.size() || id == 0) return no_such(text);
  return id;
}

std::vector<std::byte> to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

io::Task<Result<std::unique_ptr<Snapshot>>> take(block::BlockStore& store, io::Executor executor) {
  co_return co_await Snapshot::take(store, executor);
}

io::Task<Result<bool>> read_ranges(volume::DataIo& data, std::vector<volume::MappedRange> ranges,
                                   std::span<std::byte> into) {
  auto done = co_await data.read(std::move(ranges), into);
  if (!done) co_return done.error();
  co_return true;
}

}  // namespace

View::View(boost::asio::io_context& context, io::TimerQueue& timers, block::BlockStore& store)
    : context_(context), timers_(timers), store_(store), data_(context.get_executor(), store) {}

template <class T>
Result<T> View::run(io::Task<Result<T>> task) {
  std::optional<Result<T>> result;
  std::exception_ptr failure;
  boost::asio::co_spawn(context_.get_executor(), std::move(task), [&](std::exception_ptr thrown, Result<T> value) {
    failure = thrown;
    result.emplace(std::move(value));
  });
  // Every wait below ends by itself (the store has time-outs), so the task is run to its end rather than abandoned.
  context_.restart();
  while (!result && context_.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
  if (!result) return error(Errc::io, "the work on {} stopped half-way", store_.name());
  return std::move(*result);
}

Result<Picture> View::picture() {
  if (picture_ && timers_.now() - taken_ < kPictureAge) return picture_;
  auto fresh = run(take(store_, context_.get_executor()));
  if (!fresh) {
    // A volume that changes too fast for a new picture still has its last one.
    if (picture_ && fresh.error().code == Errc::busy) return picture_;
    return fresh.error();
  }
  picture_ = Picture(std::move(*fresh));
  taken_ = timers_.now();
  return picture_;
}

Result<FileId> View::walk(Snapshot& picture, std::string_view path) {
  FileId at = volume::kRootFileId;
  for (auto [name, rest] = split(path); !name.empty(); std::tie(name, rest) = split(rest)) {
    auto entry = picture.catalog().lookup(at, name);
    if (!entry) return entry.error();
    at = entry->fileid;
  }
  return at;
}

struct stat View::inode_stat(const Inode& inode) const {
  struct stat s {};
  s.st_ino = inode.fileid;
  s.st_mode = type_bits(inode.type) | inode.mode;
  s.st_nlink = inode.nlink;
  s.st_uid = inode.uid;
  s.st_gid = inode.gid;
  s.st_size = static_cast<off_t>(inode.type == FileType::symlink ? inode.symlink_target.size() : inode.size);
  s.st_blocks = static_cast<blkcnt_t>(inode.space_used / 512);
  s.st_rdev = makedev(inode.rdev_major, inode.rdev_minor);
  s.st_atim = to_timespec(inode.atime);
  s.st_mtim = to_timespec(inode.mtime);
  s.st_ctim = to_timespec(inode.ctime);
  return s;
}

Result<std::vector<std::byte>> View::made_up(Snapshot& picture, const std::string& path) {
  const auto [top, rest] = split(path);
  if (top == "volume") {
    if (rest == "superblock.json") return to_bytes(superblock_json(picture));
    if (rest == "free.json") return to_bytes(space_json(picture));
    if (rest == "catalog.sqlite") return picture.database();
    if (rest == "nodes.json") {
      auto text = nodes_json(picture);
      if (!text) return text.error();
      return to_bytes(*text);
    }
    return no_such(path);
  }
  const auto [id, leaf] = split(rest);
  auto fileid = parse_fileid(id);
  if (top != "inodes" || !fileid) return no_such(path);
  auto inode = picture.catalog().get(*fileid);
  if (!inode) return inode.error();
  if (leaf == "attributes.json") return to_bytes(attributes_json(*inode));
  if (leaf != "extents") return no_such(path);
  auto extents = picture.extents().get(*fileid);
  if (!extents) return extents.error();
  return to_bytes(extents_text(*extents));
}

Result<struct stat> View::attributes(const std::string& path) {
  const auto [top, rest] = split(path);
  constexpr mode_t kFolder = S_IFDIR | 0555;
  constexpr mode_t kDocument = S_IFREG | 0444;
  if (top.empty()) return plain(kFolder, 0);
  auto now = picture();
  if (!now) return now.error();
  Snapshot& snapshot = **now;
  if (top == "files") {
    auto id = walk(snapshot, rest);
    if (!id) return id.error();
    auto inode = snapshot.catalog().get(*id);
    if (!inode) return inode.error();
    return inode_stat(*inode);
  }
  if (top == "volume" && rest == "raw") return plain(kDocument, store_.geometry().bytes());
  if ((top == "inodes" || top == "volume") && rest.empty()) return plain(kFolder, 0);
  if (top == "inodes") {
    const auto [id, leaf] = split(rest);
    auto fileid = parse_fileid(id);
    if (!fileid) return fileid.error();
    auto inode = snapshot.catalog().get(*fileid);
    if (!inode) return inode.error();
    if (leaf.empty()) return plain(kFolder, 0);
    if (leaf == "data") return plain(kDocument, inode->size);
  }
  auto content = made_up(snapshot, path);
  if (!content) return content.error();
  return plain(kDocument, content->size());
}

Result<std::vector<Item>> View::list(const std::string& path) {
  std::vector<Item> items;
  auto add = [&items](const char* const* names, size_t count) {
    for (size_t i = 0; i < count; ++i) items.push_back({names[i], plain(0, 0)});
  };
  const auto [top, rest] = split(path);
  auto now = picture();
  if (!now) return now.error();
  Snapshot& snapshot = **now;
  if (top.empty()) add(kTop, std::size(kTop));
  if (top == "volume") add(kOfVolume, std::size(kOfVolume));
  if (top == "inodes" && !rest.empty()) add(kOfInode, std::size(kOfInode));
  if (top == "inodes" && rest.empty()) {
    // Reached by number; the list walks the namespace once, so that orphans are not shown twice.
    std::vector<FileId> todo{volume::kRootFileId};
    items.push_back({std::to_string(volume::kRootFileId), plain(S_IFDIR | 0555, 0)});
    while (!todo.empty()) {
      const FileId dir = todo.back();
      todo.pop_back();
      for (uint64_t after = 0;;) {
        auto batch = snapshot.catalog().list_with_inodes(dir, after, kListBatch);
        if (!batch) return batch.error();
        if (batch->empty()) break;
        for (const auto& listed : *batch) {
          after = listed.entry.cookie;
          items.push_back({std::to_string(listed.inode.fileid), plain(S_IFDIR | 0555, 0)});
          if (listed.inode.type == FileType::directory) todo.push_back(listed.inode.fileid);
        }
      }
    }
  }
  if (top == "files") {
    auto dir = walk(snapshot, rest);
    if (!dir) return dir.error();
    for (uint64_t after = 0;;) {
      auto batch = snapshot.catalog().list_with_inodes(*dir, after, kListBatch);
      if (!batch) return batch.error();
      if (batch->empty()) break;
      for (const auto& listed : *batch) {
        after = listed.entry.cookie;
        items.push_back({listed.entry.name, inode_stat(listed.inode)});
      }
    }
  }
  return items;
}

Result<std::string> View::link_target(const std::string& path) {
  auto now = picture();
  if (!now) return now.error();
  const auto [top, rest] = split(path);
  if (top != "files") return error(Errc::invalid, "'{}' is no symbolic link", path);
  auto id = walk(**now, rest);
  if (!id) return id.error();
  auto inode = (*now)->catalog().get(*id);
  if (!inode) return inode.error();
  if (inode->type != FileType::symlink) return error(Errc::invalid, "'{}' is no symbolic link", path);
  return inode->symlink_target;
}

Result<std::unique_ptr<OpenFile>> View::open(const std::string& path) {
  auto now = picture();
  if (!now) return now.error();
  auto file = std::make_unique<OpenFile>();
  file->picture = *now;
  const auto [top, rest] = split(path);
  if (top == "volume" && rest == "raw") {
    file->raw = true;
    return file;
  }
  const auto [id_text, leaf] = split(rest);
  if (top == "files" || (top == "inodes" && leaf == "data")) {
    auto id = top == "files" ? walk(**now, rest) : parse_fileid(id_text);
    if (!id) return id.error();
    file->fileid = *id;
    return file;
  }
  auto content = made_up(**now, path);
  if (!content) return content.error();
  file->content = std::move(*content);
  return file;
}

Result<size_t> View::read(const OpenFile& file, uint64_t offset, std::span<std::byte> into) {
  uint64_t size = file.raw ? store_.geometry().bytes() : file.content.size();
  std::vector<volume::MappedRange> ranges;
  if (file.fileid) {
    auto inode = file.picture->catalog().get(*file.fileid);
    if (!inode) return inode.error();
    size = inode->size;
  }
  if (offset >= size) return size_t{0};
  into = into.first(std::min<uint64_t>(into.size(), size - offset));
  if (file.fileid) {
    auto extents = file.picture->extents().get(*file.fileid, offset, into.size());
    if (!extents) return extents.error();
    volume::ExtentMap(std::move(*extents)).map(offset, into.size(), ranges);
  } else if (file.raw) {
    ranges.push_back({offset, into.size(), offset, false});
  } else {
    std::memcpy(into.data(), file.content.data() + offset, into.size());
    return into.size();
  }
  auto done = run(read_ranges(data_, std::move(ranges), into));
  if (!done) return done.error();
  return into.size();
}

}  // namespace pnfs::inspect
