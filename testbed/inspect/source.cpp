#include "testbed/inspect/source.hpp"

#include "common/volume/volume.hpp"

namespace pnfs::inspect {

namespace {

// The device or the way to it, not what was asked for.
bool is_device_failure(Errc code) {
  return code == Errc::io || code == Errc::timeout || code == Errc::closed || code == Errc::refused;
}

// Every byte of `before` lies where it lay. What was a hole is a hole in the picture, whatever is there now.
bool still_there(const std::vector<volume::MappedRange>& before, const volume::ExtentMap& now) {
  std::vector<volume::MappedRange> found;
  for (const volume::MappedRange& range : before) {
    if (range.hole) continue;
    now.map(range.file_offset, range.length, found);
    for (const volume::MappedRange& piece : found)
      if (piece.hole || piece.volume_offset - range.volume_offset != piece.file_offset - range.file_offset) return false;
  }
  return true;
}

}  // namespace

const Error* Source::down() const {
  return failed_ && timers_.now() - failed_at_ < kRetryAfter ? &*failed_ : nullptr;
}

template <class T>
Result<T> Source::note(Result<T> result) {
  if (result) {
    failed_.reset();
  } else if (is_device_failure(result.error().code)) {
    failed_ = result.error();
    failed_at_ = timers_.now();
  }
  return result;
}

io::Task<Result<Picture>> Source::recent() {
  if (last_ && timers_.now() - taken_ < kPictureAge) co_return last_;
  co_return co_await fresh();
}

io::Task<Result<Picture>> Source::fresh() {
  if (const Error* why = down()) co_return *why;
  const TimePoint asked = timers_.now();
  auto picture = note(co_await reader_.take());
  if (!picture) co_return picture.error();
  last_ = *picture;
  taken_ = asked;
  co_return last_;
}

io::Task<Result<void>> Source::read_file(Picture picture, volume::FileId file, uint64_t offset,
                                         std::span<std::byte> into) {
  if (const Error* why = down()) co_return *why;
  auto extents = picture->extents(file, offset, into.size());
  if (!extents) co_return extents.error();
  std::vector<volume::MappedRange> ranges;
  volume::ExtentMap(std::move(*extents)).map(offset, into.size(), ranges);
  std::vector<volume::MappedRange> kept = ranges;
  auto read = note(co_await data_.read(std::move(ranges), into));
  if (!read) co_return read.error();
  // Only a look after the data was read can say that it was the file's all the time.
  auto after = co_await fresh();
  if (!after) co_return after.error();
  if (*after == picture) co_return Result<void>{};
  auto inode = (*after)->catalog().get(file);
  if (!inode) co_return error(Errc::corrupt, "file {} was removed while it was read", file);
  auto now = (*after)->extents(file, offset, into.size());
  if (!now) co_return now.error();
  if (!still_there(kept, volume::ExtentMap(std::move(*now))))
    co_return error(Errc::corrupt, "file {} was cut off at {} or before while it was read", file, offset + into.size());
  co_return Result<void>{};
}

io::Task<Result<void>> Source::read_raw(uint64_t offset, std::span<std::byte> into) {
  if (const Error* why = down()) co_return *why;
  std::vector<volume::MappedRange> ranges{{offset, into.size(), offset, false}};
  co_return note(co_await data_.read(std::move(ranges), into));
}

io::Task<Result<volume::Superblock>> Source::superblock() {
  if (const Error* why = down()) co_return *why;
  co_return note(co_await volume::probe(store_));
}

io::Task<Result<volume::OwnerRecord>> Source::owner() {
  auto superblock = co_await this->superblock();
  if (!superblock) co_return superblock.error();
  co_return note(co_await volume::read_owner(store_, *superblock));
}

io::Task<Result<block::Reservation>> Source::reservation() {
  if (const Error* why = down()) co_return *why;
  co_return note(co_await store_.reservation());
}

}  // namespace pnfs::inspect
