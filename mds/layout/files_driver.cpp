#include "mds/layout/files_driver.hpp"

#include "common/xdr/codec.hpp"

namespace pnfs::mds::layout {

using nfs::fail;

namespace {

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

std::shared_ptr<const FileStriping> FilesDriver::striping_for(const LayoutRequest& request) {
  StripingRules rules = personality_.striping;
  // A hint is a wish: one that does not fit this volume's rules is passed over (5.12.4).
  if (auto fits = apply_words(rules, request.hint); !fits)
    spdlog::debug("file {}: its layout hint is passed over: {}", request.file, fits.error().reason);
  auto device = devices_.device_for(servers_(), rules.stripe_count, personality_.device_ids == DeviceIds::fixed);
  if (device == nullptr) return nullptr;
  return std::make_shared<FileStriping>(make_striping(rules, std::move(device), request.file));
}

Status FilesDriver::layout(const LayoutRequest& request, Arena& arena, LayoutAnswer& answer) {
  if (!personality_.grants_layouts)
    return fail(nfs::NFS4ERR_LAYOUTUNAVAILABLE, "18.43.3", "this server is configured to grant no layouts");
  answer.striping = request.held != nullptr ? request.held : striping_for(request);
  if (answer.striping == nullptr)
    return fail(nfs::NFS4ERR_LAYOUTUNAVAILABLE, "18.43.3", "{}",
                personality_.devices_from_dlm_line
                    ? "no pnfs_dlm_device line names a data server (pnfs-mds --dlm-device, pnfslab dlm-device)"
                    : "no data server is there to be named in a layout");

  // Table 13: what must be covered. READ needs nothing past the end of the file.
  const uint64_t offset = request.wanted.offset;
  uint64_t need_end = control::range_of(offset, request.minlength).end;
  if (!request.rw) need_end = std::min(need_end, std::max(request.file_size, offset));
  const auto pieces = cut_segments(*answer.striping, offset, request.wanted.end, need_end);
  if (pieces.empty()) {
    const bool before = offset < answer.striping->pattern_offset;
    return fail(request.minlength == 0 ? nfs::NFS4ERR_LAYOUTTRYLATER : nfs::NFS4ERR_BADLAYOUT, "18.43.3",
                "{} bytes from {} have no layout: {}", request.minlength, offset,
                before ? fmt::format("the striping pattern starts at {}", answer.striping->pattern_offset)
                       : fmt::format("layouts are cut into segments of {} bytes", answer.striping->segment_bytes));
  }
  const auto body = layout_body(*answer.striping, FileHandles(handle_, request.file, request.generation), arena);
  for (const auto& piece : pieces) {
    nfs::layout4 segment;
    segment.lo_offset = piece.offset;
    segment.lo_length = piece.end == control::kToEnd ? nfs::NFS4_UINT64_MAX : piece.length();
    segment.lo_iomode = request.rw ? nfs::LAYOUTIOMODE4_RW : nfs::LAYOUTIOMODE4_READ;
    segment.lo_content.loc_body.bytes = body;
    answer.segments.push_back(segment);
  }
  return {};
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
