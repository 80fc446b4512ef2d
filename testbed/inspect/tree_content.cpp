// What is behind the view's files: opening, reading, and what control/ takes.
#include "testbed/inspect/documents.hpp"
#include "testbed/inspect/helpers.hpp"
#include "testbed/inspect/tree.hpp"

namespace pnfs::inspect {

using volume::FileType;
using volume::Snapshot;

namespace {

std::string_view control_name(NodeId node) {
  switch (static_cast<Fixed>(node.which)) {
    case Fixed::pnfs_dlm_device:
      return "pnfs_dlm_device";
    case Fixed::faults:
      return "faults";
    case Fixed::recall:
      return "recall";
    default:
      return "grace";
  }
}

size_t copy_out(std::string_view content, uint64_t offset, std::span<std::byte> into) {
  if (offset >= content.size()) return 0;
  const size_t bytes = std::min<uint64_t>(into.size(), content.size() - offset);
  std::memcpy(into.data(), content.data() + offset, bytes);
  return bytes;
}

}  // namespace

// --- documents ---

Result<std::string> Tree::part_text(Snapshot& picture, NodeId node) {
  auto inode = picture.catalog().get(node.fileid);
  if (!inode) return inode.error();
  switch (static_cast<Part>(node.which)) {
    case Part::attributes:
      return attributes_json(*inode);
    case Part::extents: {
      auto extents = picture.extents(node.fileid);
      if (!extents) return extents.error();
      return extents_text(*extents);
    }
    case Part::layout: {
      auto record = striping_of(picture, *inode);
      if (!record) return record.error();
      return layout_json(*inode, *record);
    }
    default:
      return error(Errc::invalid, "no document");
  }
}

io::Task<Result<std::string>> Tree::fixed_text(Picture picture, Fixed which) {
  switch (which) {
    case Fixed::nodes:
      co_return nodes_json(*picture);
    case Fixed::free:
      co_return space_json(*picture);
    case Fixed::last_error:
      co_return last_error_;
    case Fixed::reservations: {
      const auto reservation = co_await source_.reservation();
      if (!reservation && reservation.error().code != Errc::unsupported) co_return reservation.error();
      co_return reservations_json(source_.geometry(), reservation);
    }
    default: {
      const auto superblock = co_await source_.superblock();
      if (!superblock) co_return superblock.error();
      const auto owner = co_await source_.owner();
      if (!owner) co_return owner.error();
      co_return superblock_json(*superblock, *owner);
    }
  }
}

// --- opening ---

// What hangs on a fileid.
Result<void> Tree::open_content(Snapshot& picture, OpenFile& file) {
  auto attributes = part_attributes(picture, file.node);
  if (!attributes) return attributes.error();
  file.attributes = *attributes;
  const NodeId node = file.node;
  const bool is_data = node.kind == Kind::inode_part && node.which == static_cast<uint16_t>(Part::data);
  if (node.kind == Kind::file || is_data || node.kind == Kind::stripe) {
    file.fileid = node.fileid;
    if (node.kind != Kind::stripe) return {};
    auto stripes = stripes_of(picture, node.fileid);
    if (!stripes) return stripes.error();
    if (node.which >= stripes->size()) return error(Errc::not_found, "the stripe is gone");
    file.stripe = (*stripes)[node.which];
    return {};
  }
  auto text = part_text(picture, node);
  if (!text) return text.error();
  file.text = std::move(*text);
  return {};
}

io::Task<Result<std::unique_ptr<OpenFile>>> Tree::open(NodeId node) {
  auto file = std::make_unique<OpenFile>();
  file->node = node;
  const auto which = static_cast<Fixed>(node.which);
  const io::Executor executor = source_.executor();
  if (node.kind == Kind::live || is_control(node)) {
    std::function<Result<std::string>()> ask;
    if (node.kind == Kind::live) {
      ask = [this, name = LabSide::live_names().at(node.which)] { return lab_.live(name); };
    } else {
      ask = [this, name = control_name(node)] { return lab_.read_control(name); };
    }
    auto text = co_await on_helper<std::string>(helpers_, executor, std::move(ask));
    // Without servers control/ can be opened (and a write says what is wrong); live/ cannot.
    if (!text && node.kind == Kind::live) co_return text.error();
    if (text) file->text = std::move(*text);
    auto attributes = co_await this->attributes(node);
    if (!attributes) co_return attributes.error();
    file->attributes = *attributes;
    co_return file;
  }
  if (node == fixed(Fixed::last_error)) {
    file->text = last_error_;
    auto attributes = co_await this->attributes(node);
    if (!attributes) co_return attributes.error();
    file->attributes = *attributes;
    co_return file;
  }
  auto picture = co_await source_.fresh();
  if (!picture) co_return picture.error();
  file->picture = *picture;
  if (node.kind != Kind::fixed) {
    if (auto opened = open_content(**picture, *file); !opened) co_return opened.error();
    co_return file;
  }
  auto attributes = co_await this->attributes(node);
  if (!attributes) co_return attributes.error();
  file->attributes = *attributes;
  if (which == Fixed::raw) {
    file->raw = true;
  } else if (which == Fixed::catalog) {
    file->database = true;
    file->attributes.st_size = static_cast<off_t>((*picture)->database_bytes());
  } else {
    auto text = co_await fixed_text(*picture, which);
    if (!text) co_return text.error();
    file->text = std::move(*text);
    file->attributes.st_size = static_cast<off_t>(file->text.size());
  }
  co_return file;
}

// --- reading ---

io::Task<Result<size_t>> Tree::read(const OpenFile& file, uint64_t offset, std::span<std::byte> into) {
  if (!file.fileid && !file.raw && !file.database) co_return copy_out(file.text, offset, into);
  const auto size = static_cast<uint64_t>(file.attributes.st_size);
  if (offset >= size) co_return size_t{0};
  into = into.first(std::min<uint64_t>(into.size(), size - offset));
  if (file.database) {
    file.picture->read_database(offset, into);
    co_return into.size();
  }
  if (file.raw) {
    auto done = co_await source_.read_raw(offset, into);
    if (!done) co_return done.error();
    co_return into.size();
  }
  std::vector<StripeFile::Piece> pieces{{offset, into.size(), offset, false}};
  if (file.stripe) pieces = file.stripe->map(offset, into.size());
  for (const StripeFile::Piece& piece : pieces) {
    const auto part = into.subspan(piece.offset - offset, piece.length);
    if (piece.hole) {
      std::memset(part.data(), 0, part.size());
      continue;
    }
    auto done = co_await source_.read_file(file.picture, *file.fileid, piece.file_offset, part);
    if (!done) co_return done.error();
  }
  co_return into.size();
}

// For sparse copies: where blocks are. A dense stripe file has no holes of its own.
Result<uint64_t> Tree::seek(const OpenFile& file, uint64_t offset, bool data) {
  const auto size = static_cast<uint64_t>(file.attributes.st_size);
  if (offset >= size) return error(Errc::not_found, "{} is beyond the end", offset);
  const bool plain = !file.fileid || (file.stripe && file.stripe->dense);
  if (plain) return data ? offset : size;
  auto extents = file.picture->extents(*file.fileid, offset);
  if (!extents) return extents.error();
  uint64_t at = offset;  // looking for a hole: everything in [offset, at) is data
  for (const volume::Extent& extent : *extents) {
    std::vector<StripeFile::Piece> pieces;
    const uint64_t begin = std::max(extent.file_offset, offset);
    const uint64_t end = std::min(extent.file_end(), size);
    if (begin >= end) continue;
    if (file.stripe) {
      pieces = file.stripe->map(begin, end - begin);
    } else {
      pieces.push_back({begin, end - begin, begin, false});
    }
    for (const StripeFile::Piece& piece : pieces) {
      if (piece.hole) continue;
      if (data) return piece.offset;
      if (piece.offset > at) return at;
      at = piece.offset + piece.length;
    }
  }
  if (data) return error(Errc::not_found, "no data behind {}", offset);
  return std::min(at, size);
}

// --- control/ ---

io::Task<Result<void>> Tree::write(NodeId node, std::string text) {
  const std::string name(control_name(node));
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    auto work = [this, name, line]() -> Result<bool> {
      auto done = lab_.write_control(name, line);
      if (!done) return done.error();
      return true;
    };
    auto done = co_await on_helper<bool>(helpers_, source_.executor(), std::move(work));
    if (done) continue;
    note_error(fmt::format("control/{}: \"{}\": {}", name, line, done.error().reason));
    co_return done.error();
  }
  co_return Result<void>{};
}

}  // namespace pnfs::inspect
