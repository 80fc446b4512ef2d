#include "mds/layout/files_driver.hpp"

#include "common/xdr/codec.hpp"

namespace pnfs::mds::layout {

using nfs::fail;

namespace {

constexpr size_t kMostSegments = 16;  // in one reply

struct FileHandles final : HandleMaker {
  const FilesDriver::Handle& handle;
  FileId file;
  uint64_t generation;
  FileHandles(const FilesDriver::Handle& h, FileId f, uint64_t g) : handle(h), file(f), generation(g) {}
  std::span<const std::byte> make(Arena& arena, bool dense, uint32_t stripe_index) const override {
    return handle(arena, file, generation, dense, stripe_index);
  }
};

}  // namespace

Status FilesDriver::layout(const LayoutRequest& request, Arena& arena, LayoutAnswer& answer) {
  if (!personality_.grants_layouts)
    return fail(nfs::NFS4ERR_LAYOUTUNAVAILABLE, "18.43.3", "this server is configured to grant no layouts");
  auto device = devices_.device_for(servers_(), personality_.stripe_count);
  if (device == nullptr)
    return fail(nfs::NFS4ERR_LAYOUTUNAVAILABLE, "18.43.3", "no data server is there to be named in a layout");
  answer.striping = std::make_shared<FileStriping>(make_striping(personality_, device, request.file));
  const auto body = layout_body(*answer.striping, FileHandles(handle_, request.file, request.generation), arena);

  auto add = [&](uint64_t offset, uint64_t length) {
    nfs::layout4 segment;
    segment.lo_offset = offset;
    segment.lo_length = length;
    segment.lo_iomode = request.rw ? nfs::LAYOUTIOMODE4_RW : nfs::LAYOUTIOMODE4_READ;
    segment.lo_content.loc_body.bytes = body;
    answer.segments.push_back(segment);
  };
  if (personality_.segment_bytes == 0) {
    add(0, nfs::NFS4_UINT64_MAX);
    return {};
  }
  // Table 13: from loga_offset or before it, at least loga_minlength; several segments where one does not reach.
  const uint64_t unit = personality_.segment_bytes;
  if (request.minlength == nfs::NFS4_UINT64_MAX)
    return fail(nfs::NFS4ERR_BADLAYOUT, "18.43.3", "layouts are cut into segments of {} bytes, none reaches the end", unit);
  const uint64_t first = request.wanted.offset / unit * unit;
  const uint64_t need_end = request.wanted.offset + request.minlength;
  for (uint64_t at = first; answer.segments.size() < kMostSegments; at += unit) {
    if (at > UINT64_MAX - unit) {
      add(at, nfs::NFS4_UINT64_MAX);
      return {};
    }
    add(at, unit);
    const uint64_t end = at + unit;
    if (end >= need_end && (end >= request.wanted.end || answer.segments.size() >= kMostSegments / 4)) return {};
  }
  return fail(nfs::NFS4ERR_BADLAYOUT, "18.43.3", "minlength {} is more than {} segments of {} bytes", request.minlength,
              kMostSegments, unit);
}

Status FilesDriver::device(const nfs::deviceid4& id, const io::Endpoint& local, Arena& arena,
                           std::span<const std::byte>& body) {
  const auto device = devices_.find(id);
  if (device == nullptr)
    return fail(nfs::NFS4ERR_NOENT, "18.40.3", "no such device id, or it stood for something that is gone");
  xdr::Encoder encoder(arena);
  xdr::encode(encoder, device_address(*device, local, arena));
  body = arena.copy(std::span<const std::byte>(encoder.flatten()));
  return {};
}

std::vector<nfs::deviceid4> FilesDriver::devices() const {
  return devices_.ids();
}

}  // namespace pnfs::mds::layout
