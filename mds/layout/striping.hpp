// How one file is striped, as a client was told (RFC 8881 13.3, 13.4). Pure values.
#pragma once

#include <memory>

#include "common/control/stripe_set.hpp"
#include "common/control/striping_rules.hpp"
#include "common/nfs/layout.hpp"
#include "mds/layout/devices.hpp"

namespace pnfs::mds::layout {

using control::FirstIndexRule;
using control::HandleRule;
using control::StripingRules;

struct FileStriping {
  std::shared_ptr<const Device> device;
  uint32_t unit_bytes = 0;
  bool dense = false;
  bool commit_thru_mds = false;
  uint32_t first_index = 0;
  uint64_t pattern_offset = 0;
  uint64_t segment_bytes = 0;
  uint32_t segments = 4;
  HandleRule handles = HandleRule::one;
  bool return_on_close = false;

  uint32_t count() const { return static_cast<uint32_t>(device->stripe_indices.size()); }
  // What `node` may touch under this layout; nothing when it serves none of it. dense_index: the stripe index that a
  // dense filehandle stands for, else every index of the node.
  control::StripeSet set_of(uint32_t node, const control::ByteRange& window, const uint32_t* dense_index) const;
};

// The striping that the rules give a file on this device.
FileStriping make_striping(const StripingRules& rules, std::shared_ptr<const Device> device, uint64_t fileid);

// The pieces of a layout for [offset, wanted_end) of which [offset, need_end) must be covered, by the rules of RFC 8881
// tables 13 and 14; from the pattern's start on, ascending, without gaps. Empty: it cannot be covered.
std::vector<control::ByteRange> cut_segments(const FileStriping& striping, uint64_t offset, uint64_t wanted_end,
                                             uint64_t need_end);

// A handle as data servers take it; dense ones are told apart by their stripe index.
struct HandleMaker {
  virtual ~HandleMaker() = default;
  virtual std::span<const std::byte> make(Arena& arena, bool dense, uint32_t stripe_index) const = 0;
};

// nfsv4_1_file_layout4, encoded.
std::span<const std::byte> layout_body(const FileStriping& striping, const HandleMaker& handles, Arena& arena);

}  // namespace pnfs::mds::layout
