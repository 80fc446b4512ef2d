// How one file is striped, as a client was told (RFC 8881 13.3, 13.4). Pure values.
#pragma once

#include <memory>

#include "common/control/stripe_set.hpp"
#include "common/nfs/layout.hpp"
#include "mds/layout/devices.hpp"
#include "mds/layout/personality.hpp"

namespace pnfs::mds::layout {

struct FileStriping {
  std::shared_ptr<const Device> device;
  uint32_t unit_bytes = 0;
  bool dense = false;
  bool commit_thru_mds = false;
  uint32_t first_index = 0;
  uint64_t pattern_offset = 0;
  bool one_handle = true;

  uint32_t count() const { return static_cast<uint32_t>(device->stripe_indices.size()); }
  // What `node` may touch under this layout; nothing when it serves none of it. dense_index: the stripe index that a
  // dense filehandle stands for, else every index of the node.
  control::StripeSet set_of(uint32_t node, const control::ByteRange& window, const uint32_t* dense_index) const;
};

// The striping a personality gives a file on this device.
FileStriping make_striping(const Personality& personality, std::shared_ptr<const Device> device, uint64_t fileid);

// A handle as data servers take it; dense ones are told apart by their stripe index.
struct HandleMaker {
  virtual ~HandleMaker() = default;
  virtual std::span<const std::byte> make(Arena& arena, bool dense, uint32_t stripe_index) const = 0;
};

// nfsv4_1_file_layout4, encoded.
std::span<const std::byte> layout_body(const FileStriping& striping, const HandleMaker& handles, Arena& arena);

}  // namespace pnfs::mds::layout
