#include "testbed/client/layout.hpp"

#include "common/rpc/uaddr.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::client {

using namespace nfs;

std::optional<Place> place_of(const LayoutSegment& segment, const Device& device, uint64_t offset) {
  const uint64_t unit = segment.stripe_unit();
  const uint64_t stripes = device.stripe_indices.size();
  if (unit == 0 || stripes == 0 || offset < segment.pattern_offset) return std::nullopt;
  // RFC 8881 13.4.1: units are counted from the pattern's start.
  const uint64_t relative = offset - segment.pattern_offset;
  const uint64_t sui = relative / unit;
  const uint64_t index = (sui + segment.first_stripe_index) % stripes;
  Place place;
  place.data_server = device.stripe_indices[index];
  place.bytes = unit - relative % unit;
  if (place.data_server >= device.data_servers.size()) return std::nullopt;
  if (segment.dense()) {
    // 13.4.3: one handle for each stripe index; 13.4.4: the unit's place within that data file, without holes.
    if (segment.handles.size() != stripes) return std::nullopt;
    place.handle = static_cast<uint32_t>(index);
    place.offset = sui / stripes * unit + relative % unit;
    return place;
  }
  // 13.4.2: as many handles as data servers, or one for all, or none (the handle of OPEN).
  place.offset = offset;
  if (segment.handles.size() > 1) {
    if (segment.handles.size() != device.data_servers.size()) return std::nullopt;
    place.handle = place.data_server;
  }
  return place;
}

std::optional<Device> read_device(const deviceid4& id, const device_addr4& address) {
  if (address.da_layout_type != LAYOUT4_NFSV4_1_FILES) return std::nullopt;
  Arena arena;
  xdr::Decoder d(address.da_addr_body.bytes, arena);
  nfsv4_1_file_layout_ds_addr4 body;
  if (!xdr::decode(d, body) || d.left() != 0) return std::nullopt;
  Device device;
  device.id = id;
  device.stripe_indices.assign(body.nflda_stripe_indices.begin(), body.nflda_stripe_indices.end());
  for (const multipath_list4& list : body.nflda_multipath_ds_list) {
    auto& addresses = device.data_servers.emplace_back();
    for (const netaddr4& one : list) {
      const auto endpoint = rpc::parse_uaddr(one.na_r_netid.text, one.na_r_addr.text);
      if (!endpoint) return std::nullopt;
      addresses.push_back(*endpoint);
    }
    if (addresses.empty()) return std::nullopt;
  }
  return device;
}

std::optional<LayoutSegment> read_layout(const layout4& layout) {
  if (layout.lo_content.loc_type != LAYOUT4_NFSV4_1_FILES) return std::nullopt;
  Arena arena;
  xdr::Decoder d(layout.lo_content.loc_body.bytes, arena);
  nfsv4_1_file_layout4 body;
  if (!xdr::decode(d, body) || d.left() != 0) return std::nullopt;
  LayoutSegment segment;
  segment.offset = layout.lo_offset;
  segment.length = layout.lo_length;
  segment.iomode = layout.lo_iomode;
  segment.device = body.nfl_deviceid;
  segment.util = body.nfl_util;
  segment.first_stripe_index = body.nfl_first_stripe_index;
  segment.pattern_offset = body.nfl_pattern_offset;
  for (const nfs_fh4& handle : body.nfl_fh_list) segment.handles.emplace_back(handle.bytes.begin(), handle.bytes.end());
  return segment;
}

}  // namespace pnfs::client
