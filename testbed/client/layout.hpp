// Layouts of the files type as the client keeps them, and which byte lies where (RFC 8881 13.3, 13.4).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/io/stream.hpp"
#include "common/nfs/layout.hpp"

namespace pnfs::client {

using Fh = std::vector<std::byte>;

struct Device {
  nfs::deviceid4 id;
  std::vector<uint32_t> stripe_indices;                 // into data_servers
  std::vector<std::vector<io::Endpoint>> data_servers;  // each with its addresses
};

struct LayoutSegment {
  uint64_t offset = 0;
  uint64_t length = 0;  // NFS4_UINT64_MAX: to the end of any file
  nfs::layoutiomode4 iomode = nfs::LAYOUTIOMODE4_READ;
  nfs::deviceid4 device;
  nfs::nfl_util4 util = 0;
  uint32_t first_stripe_index = 0;
  uint64_t pattern_offset = 0;
  std::vector<Fh> handles;

  uint64_t stripe_unit() const { return util & nfs::NFL4_UFLG_STRIPE_UNIT_SIZE_MASK; }
  bool dense() const { return (util & nfs::NFL4_UFLG_DENSE) != 0; }
  bool commit_through_mds() const { return (util & nfs::NFL4_UFLG_COMMIT_THRU_MDS) != 0; }
  bool covers(uint64_t at, nfs::layoutiomode4 mode) const {
    return at >= offset && at - offset < length && (iomode == nfs::LAYOUTIOMODE4_RW || mode == iomode);
  }
};

struct Layout {
  nfs::stateid4 stateid;
  bool return_on_close = false;
  std::vector<LayoutSegment> segments;
  const LayoutSegment* find(uint64_t at, nfs::layoutiomode4 mode) const {
    for (const LayoutSegment& segment : segments)
      if (segment.covers(at, mode)) return &segment;
    return nullptr;
  }
};

// Where the byte at a file offset lies.
struct Place {
  uint32_t data_server = 0;  // index into Device::data_servers
  uint32_t handle = 0;       // index into LayoutSegment::handles
  uint64_t offset = 0;       // to be used in READ and WRITE at the data server
  uint64_t bytes = 0;        // from there to the end of its stripe unit
};
// nullopt: the layout does not fit the device (an index out of range, no stripe unit).
std::optional<Place> place_of(const LayoutSegment& segment, const Device& device, uint64_t offset);

// From the bodies of GETDEVICEINFO and LAYOUTGET; nullopt when they are malformed.
std::optional<Device> read_device(const nfs::deviceid4& id, const nfs::device_addr4& address);
std::optional<LayoutSegment> read_layout(const nfs::layout4& layout);

}  // namespace pnfs::client
