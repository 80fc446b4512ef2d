#include "common/compound/typed_bodies.hpp"

#include <algorithm>

#include "common/nfs/layout.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::compound {

namespace {

using nfs::layoutiomode4, nfs::layouttype4, nfs::nfsstat4, nfs::stateid4, nfs::NFS4_OK;

struct opened_content {
  layouttype4 loc_type = nfs::LAYOUT4_NFSV4_1_FILES;
  xdr::Opaque<> loc_body;
  nfs::nfsv4_1_file_layout4 files;
  PNFS_XDR(opened_content, loc_type, loc_body, files)
};
struct opened_layout {
  nfs::offset4 lo_offset = 0;
  nfs::length4 lo_length = 0;
  layoutiomode4 lo_iomode = nfs::LAYOUTIOMODE4_READ;
  opened_content lo_content;
  PNFS_XDR(opened_layout, lo_offset, lo_length, lo_iomode, lo_content)
};
struct opened_layoutget_resok {
  bool logr_return_on_close = false;
  stateid4 logr_stateid;
  xdr::Array<opened_layout> logr_layout;
  PNFS_XDR(opened_layoutget_resok, logr_return_on_close, logr_stateid, logr_layout)
};
struct opened_layoutget_res {
  nfsstat4 logr_status = NFS4_OK;
  opened_layoutget_resok logr_resok4;
  bool logr_will_signal_layout_avail = false;
  PNFS_XDR_UNION(opened_layoutget_res, logr_status, PNFS_ARM(NFS4_OK, logr_resok4),
                 PNFS_ARM(nfs::NFS4ERR_LAYOUTTRYLATER, logr_will_signal_layout_avail), PNFS_DEFAULT_VOID())
};

struct opened_device {
  layouttype4 da_layout_type = nfs::LAYOUT4_NFSV4_1_FILES;
  xdr::Opaque<> da_addr_body;
  nfs::nfsv4_1_file_layout_ds_addr4 files;
  PNFS_XDR(opened_device, da_layout_type, da_addr_body, files)
};
struct opened_deviceinfo_resok {
  opened_device gdir_device_addr;
  nfs::notify_deviceid_bitmap4 gdir_notification;
  PNFS_XDR(opened_deviceinfo_resok, gdir_device_addr, gdir_notification)
};
struct opened_deviceinfo_res {
  nfsstat4 gdir_status = NFS4_OK;
  opened_deviceinfo_resok gdir_resok4;
  nfs::count4 gdir_mincount = 0;
  PNFS_XDR_UNION(opened_deviceinfo_res, gdir_status, PNFS_ARM(NFS4_OK, gdir_resok4),
                 PNFS_ARM(nfs::NFS4ERR_TOOSMALL, gdir_mincount), PNFS_DEFAULT_VOID())
};

template <class Body>
std::span<const std::byte> encode_body(const Body& body, Arena& arena) {
  xdr::Encoder out(arena);
  xdr::encode(out, body);
  const std::vector<std::byte> bytes = out.flatten();
  return arena.copy(std::span<const std::byte>(bytes));
}

template <class Body>
void decode_body(std::span<const std::byte> bytes, Body& body, Arena& arena) {
  xdr::Decoder in(bytes, arena);
  if (!xdr::decode(in, body)) body = Body{};
}

// The bytes after rules had their say: what they wrote, or their typed fields when these say something new.
template <class Body>
std::span<const std::byte> merged(std::span<const std::byte> original, std::span<const std::byte> now, const Body& body,
                                  Arena& arena) {
  if (!std::ranges::equal(original, now)) return now;
  Body before;
  decode_body(original, before, arena);
  const auto old_bytes = encode_body(before, arena), new_bytes = encode_body(body, arena);
  return std::ranges::equal(old_bytes, new_bytes) ? original : new_bytes;
}

opened_layoutget_res* open_layoutget(const nfs::LAYOUTGET4res& from, Arena& arena) {
  auto* to = arena.make<opened_layoutget_res>();
  to->logr_status = from.logr_status;
  to->logr_will_signal_layout_avail = from.logr_will_signal_layout_avail;
  if (from.logr_status != NFS4_OK) return to;
  to->logr_resok4.logr_return_on_close = from.logr_resok4.logr_return_on_close;
  to->logr_resok4.logr_stateid = from.logr_resok4.logr_stateid;
  const auto& segments = from.logr_resok4.logr_layout;
  to->logr_resok4.logr_layout.items = arena.make_array<opened_layout>(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    opened_layout& segment = to->logr_resok4.logr_layout[i];
    segment.lo_offset = segments[i].lo_offset;
    segment.lo_length = segments[i].lo_length;
    segment.lo_iomode = segments[i].lo_iomode;
    segment.lo_content.loc_type = segments[i].lo_content.loc_type;
    segment.lo_content.loc_body = segments[i].lo_content.loc_body;
    decode_body(segments[i].lo_content.loc_body.bytes, segment.lo_content.files, arena);
  }
  return to;
}

void write_layoutget(const opened_layoutget_res& from, nfs::LAYOUTGET4res& to, Arena& arena) {
  to.logr_status = from.logr_status;
  to.logr_will_signal_layout_avail = from.logr_will_signal_layout_avail;
  if (from.logr_status != NFS4_OK) return;
  to.logr_resok4.logr_return_on_close = from.logr_resok4.logr_return_on_close;
  to.logr_resok4.logr_stateid = from.logr_resok4.logr_stateid;
  const auto old = to.logr_resok4.logr_layout.items;
  const auto& segments = from.logr_resok4.logr_layout;
  auto fresh = arena.make_array<nfs::layout4>(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    const opened_content& content = segments[i].lo_content;
    const std::span<const std::byte> original =
        i < old.size() ? old[i].lo_content.loc_body.bytes : std::span<const std::byte>();
    fresh[i].lo_offset = segments[i].lo_offset;
    fresh[i].lo_length = segments[i].lo_length;
    fresh[i].lo_iomode = segments[i].lo_iomode;
    fresh[i].lo_content.loc_type = content.loc_type;
    fresh[i].lo_content.loc_body.bytes = merged(original, content.loc_body.bytes, content.files, arena);
  }
  to.logr_resok4.logr_layout.items = fresh;
}

opened_deviceinfo_res* open_deviceinfo(const nfs::GETDEVICEINFO4res& from, Arena& arena) {
  auto* to = arena.make<opened_deviceinfo_res>();
  to->gdir_status = from.gdir_status;
  to->gdir_mincount = from.gdir_mincount;
  if (from.gdir_status != NFS4_OK) return to;
  const nfs::device_addr4& device = from.gdir_resok4.gdir_device_addr;
  opened_device& opened = to->gdir_resok4.gdir_device_addr;
  opened.da_layout_type = device.da_layout_type;
  opened.da_addr_body = device.da_addr_body;
  decode_body(device.da_addr_body.bytes, opened.files, arena);
  to->gdir_resok4.gdir_notification = from.gdir_resok4.gdir_notification;
  return to;
}

void write_deviceinfo(const opened_deviceinfo_res& from, nfs::GETDEVICEINFO4res& to, Arena& arena) {
  to.gdir_status = from.gdir_status;
  to.gdir_mincount = from.gdir_mincount;
  if (from.gdir_status != NFS4_OK) return;
  const opened_device& opened = from.gdir_resok4.gdir_device_addr;
  nfs::device_addr4& device = to.gdir_resok4.gdir_device_addr;
  device.da_layout_type = opened.da_layout_type;
  device.da_addr_body.bytes = merged(device.da_addr_body.bytes, opened.da_addr_body.bytes, opened.files, arena);
  to.gdir_resok4.gdir_notification = from.gdir_resok4.gdir_notification;
}

}  // namespace

const xdr::TypeInfo* result_for_rules(const nfs::OpInfo& op) {
  if (op.number == nfs::OP_LAYOUTGET) return &xdr::type_info<opened_layoutget_res>;
  if (op.number == nfs::OP_GETDEVICEINFO) return &xdr::type_info<opened_deviceinfo_res>;
  return op.res;
}

xdr::FieldView TypedResult::open(const nfs::OpInfo& op, void* result, Arena& arena) {
  op_ = op.number;
  result_ = result;
  arena_ = &arena;
  if (op_ == nfs::OP_LAYOUTGET) {
    opened_ = open_layoutget(*static_cast<const nfs::LAYOUTGET4res*>(result), arena);
  } else if (op_ == nfs::OP_GETDEVICEINFO) {
    opened_ = open_deviceinfo(*static_cast<const nfs::GETDEVICEINFO4res*>(result), arena);
  } else {
    return {*op.res, result};
  }
  return {*result_for_rules(op), opened_};
}

void TypedResult::write_back() {
  if (opened_ == nullptr) return;
  if (op_ == nfs::OP_LAYOUTGET) {
    write_layoutget(*static_cast<opened_layoutget_res*>(opened_), *static_cast<nfs::LAYOUTGET4res*>(result_), *arena_);
  } else {
    write_deviceinfo(*static_cast<opened_deviceinfo_res*>(opened_), *static_cast<nfs::GETDEVICEINFO4res*>(result_),
                     *arena_);
  }
}

}  // namespace pnfs::compound
