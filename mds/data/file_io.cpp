#include "mds/data/file_io.hpp"

#include "common/volume/volume.hpp"

namespace pnfs::mds {

using nfs::fail;
using volume::Extent;
using volume::ExtentMap;
using volume::MappedRange;

namespace {

std::vector<MappedRange> map_range(std::vector<Extent> extents, uint64_t offset, uint64_t length) {
  std::vector<MappedRange> ranges;
  ExtentMap(std::move(extents)).map(offset, length, ranges);
  return ranges;
}

bool has_hole(const std::vector<MappedRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [](const MappedRange& r) { return r.hole; });
}

}  // namespace

io::Task<nfs::Status> FileIo::device_failed(Error why) {
  if (why.code != Errc::fenced) co_return volume_status(why);
  auto again = co_await volume_.reassert();
  if (!again) co_return volume_status(again.error());
  co_return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "{}; it is put right", why.reason);
}

io::Task<nfs::Status> FileIo::read(FileId file, uint64_t offset, std::span<std::byte> into) {
  FileGate::Pass pass = co_await gate_.enter(file, false);
  std::unique_ptr<DataGuard::Hold> hold;
  if (nfs::Status status = co_await guard_.hold(file, offset, into.size(), false, hold); !status) co_return status;
  auto extents = names_.extents().get(file, offset, into.size());
  if (!extents) co_return volume_status(extents.error());
  std::vector<MappedRange> ranges = map_range(std::move(*extents), offset, into.size());
  auto done = co_await data_.read(std::move(ranges), into);
  if (!done) co_return co_await device_failed(done.error());
  co_return nfs::Status{};
}

io::Task<nfs::Status> FileIo::write(FileId file, uint64_t offset, std::span<const std::byte> from, bool stable,
                                    const Caller& caller) {
  if (from.size() > kMaxFileBytes || offset > kMaxFileBytes - from.size()) {
    co_return fail(nfs::NFS4ERR_FBIG, "15.1.4.7", "{} bytes at {} reach beyond the largest file, {} bytes", from.size(),
                   offset, kMaxFileBytes);
  }
  FileGate::Pass pass = co_await gate_.enter(file, false);
  std::unique_ptr<DataGuard::Hold> hold;
  if (nfs::Status status = co_await guard_.hold(file, offset, from.size(), true, hold); !status) co_return status;
  auto extents = names_.extents().get(file, offset, from.size());
  if (!extents) co_return volume_status(extents.error());
  std::vector<MappedRange> ranges = map_range(std::move(*extents), offset, from.size());
  if (has_hole(ranges)) {
    auto allocated = names_.extents().allocate(file, offset, from.size());
    if (!allocated) co_return volume_status(allocated.error());
    ranges = map_range(std::move(*allocated), offset, from.size());
    const volume::Ticket ticket = names_.catalog().ticket();
    auto durable = co_await names_.catalog().durable(ticket);
    if (!durable) co_return volume_status(durable.error());
  }
  const block::ConstPiece pieces[] = {from};
  auto done = co_await data_.write(std::move(ranges), pieces, stable ? block::Fua::yes : block::Fua::no);
  if (!done) co_return co_await device_failed(done.error());
  Inode inode;
  co_return names_.wrote(file, offset + from.size(), caller, inode);
}

// What lies between `size` and the end of its block stays mapped and must read as zeros when the file grows again.
io::Task<nfs::Status> FileIo::zero_tail(FileId file, uint64_t size) {
  static constexpr std::array<std::byte, volume::kExtentAlign> zeros{};
  const uint64_t rest = (volume::kExtentAlign - size % volume::kExtentAlign) % volume::kExtentAlign;
  if (rest == 0) co_return nfs::Status{};
  auto extents = names_.extents().get(file, size, rest);
  if (!extents) co_return volume_status(extents.error());
  std::vector<MappedRange> ranges = map_range(std::move(*extents), size, rest);
  if (has_hole(ranges)) co_return nfs::Status{};  // the block is one extent or none
  const block::ConstPiece pieces[] = {block::ConstPiece(zeros).first(rest)};
  // Durable before the new size is: else a crash between could show the old bytes beyond the new end.
  auto done = co_await data_.write(std::move(ranges), pieces, block::Fua::yes);
  if (!done) co_return co_await device_failed(done.error());
  co_return nfs::Status{};
}

io::Task<nfs::Status> FileIo::set_attributes(FileId file, SetAttributes set, const Caller& caller, Inode& out) {
  if (nfs::Status status = names_.get(file, out); !status) co_return status;
  if (!set.size || out.type != volume::FileType::regular) co_return names_.apply(file, set, caller, out);
  FileGate::Pass pass = co_await gate_.enter(file, true);
  std::unique_ptr<DataGuard::Hold> hold;
  if (nfs::Status status = co_await guard_.hold(file, *set.size, UINT64_MAX, true, hold); !status) co_return status;
  if (nfs::Status status = names_.get(file, out); !status) co_return status;
  // Also when the file stays as it is or grows: data servers may have written beyond the size that is known here, and
  // what they wrote beyond the new one must not come back when the file grows again.
  if (nfs::Status status = co_await zero_tail(file, *set.size); !status) co_return status;
  auto savepoint = names_.catalog().begin();
  if (!savepoint) co_return volume_status(savepoint.error());
  auto removed = names_.extents().remove(file, *set.size);
  if (!removed) co_return volume_status(removed.error());
  if (nfs::Status status = names_.apply(file, set, caller, out); !status) co_return status;
  auto kept = savepoint->release();
  if (!kept) co_return volume_status(kept.error());
  co_return nfs::Status{};
}

io::Task<nfs::Status> FileIo::flush() {
  auto done = co_await data_.store().flush();
  if (!done) co_return co_await device_failed(done.error());
  co_return nfs::Status{};
}

io::Task<nfs::Status> FileIo::destroy(FileId file) {
  FileGate::Pass pass = co_await gate_.enter(file, true);
  std::unique_ptr<DataGuard::Hold> hold;
  if (nfs::Status status = co_await guard_.hold(file, 0, UINT64_MAX, true, hold); !status) co_return status;
  Inode inode;
  if (nfs::Status status = names_.get(file, inode); !status) co_return nfs::Status{};  // gone already
  if (inode.nlink != 0) co_return nfs::Status{};
  auto savepoint = names_.catalog().begin();
  if (!savepoint) co_return volume_status(savepoint.error());
  if (inode.type == volume::FileType::regular) {
    auto removed = names_.extents().remove(file, 0);
    if (!removed) co_return volume_status(removed.error());
  }
  auto erased = names_.catalog().erase(file);
  if (!erased) co_return volume_status(erased.error());
  auto kept = savepoint->release();
  if (!kept) co_return volume_status(kept.error());
  co_return nfs::Status{};
}

}  // namespace pnfs::mds
