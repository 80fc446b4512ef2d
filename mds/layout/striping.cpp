#include "mds/layout/striping.hpp"

#include <algorithm>

#include "common/xdr/codec.hpp"

namespace pnfs::mds::layout {

control::StripeSet FileStriping::set_of(uint32_t node, const control::ByteRange& window,
                                        const uint32_t* dense_index) const {
  control::StripeSet set{.window = window,
                         .unit_bytes = unit_bytes,
                         .count = count(),
                         .pattern_offset = pattern_offset,
                         .first_index = first_index,
                         .indices = device->indices_of(node)};
  if (dense_index != nullptr) {
    const bool served = std::binary_search(set.indices.begin(), set.indices.end(), *dense_index);
    set.indices.clear();
    if (served) set.indices.push_back(*dense_index);
  }
  return set;
}

std::vector<control::ByteRange> cut_segments(const FileStriping& striping, uint64_t offset, uint64_t wanted_end,
                                             uint64_t need_end) {
  constexpr size_t kMost = 64;  // in one reply
  std::vector<control::ByteRange> out;
  if (offset < striping.pattern_offset) return out;
  if (striping.segment_bytes == 0) return {{striping.pattern_offset, control::kToEnd}};
  const uint64_t unit = striping.segment_bytes;
  uint64_t at = offset / unit * unit;
  while (out.size() < kMost) {
    const uint64_t end = at > UINT64_MAX - unit ? control::kToEnd : at + unit;
    out.push_back({std::max(at, striping.pattern_offset), end});
    if (end == control::kToEnd) break;
    at = end;
    const bool enough = out.size() >= striping.segments || end >= wanted_end;
    if (end >= need_end && need_end != control::kToEnd && enough) break;
  }
  if (out.back().end < need_end) out.clear();
  return out;
}

FileStriping make_striping(const StripingRules& rules, std::shared_ptr<const Device> device, uint64_t fileid) {
  FileStriping striping;
  striping.device = std::move(device);
  striping.unit_bytes = rules.stripe_bytes;
  striping.dense = rules.dense;
  striping.commit_thru_mds = rules.commit_thru_mds;
  striping.pattern_offset = rules.pattern_offset;
  striping.segment_bytes = rules.segment_bytes;
  striping.segments = rules.segments;
  striping.handles = rules.handles;
  striping.return_on_close = rules.return_on_close;
  striping.first_index =
      control::first_index(rules.first_index, fileid, striping.device->servers.size(), striping.count());
  return striping;
}

std::span<const std::byte> layout_body(const FileStriping& striping, const HandleMaker& handles, Arena& arena) {
  nfs::nfsv4_1_file_layout4 body;
  body.nfl_deviceid = striping.device->id;
  body.nfl_util = striping.unit_bytes & nfs::NFL4_UFLG_STRIPE_UNIT_SIZE_MASK;
  if (striping.dense) body.nfl_util |= nfs::NFL4_UFLG_DENSE;
  if (striping.commit_thru_mds) body.nfl_util |= nfs::NFL4_UFLG_COMMIT_THRU_MDS;
  body.nfl_first_stripe_index = striping.first_index;
  body.nfl_pattern_offset = striping.pattern_offset;
  // 13.3: dense needs one filehandle for each stripe index; sparse takes none, one, or one for each data server.
  size_t count = striping.count();
  if (!striping.dense) count = striping.handles == HandleRule::each ? striping.device->servers.size() : 1;
  if (!striping.dense && striping.handles == HandleRule::none) count = 0;
  body.nfl_fh_list.items = arena.make_array<nfs::nfs_fh4>(count);
  for (size_t i = 0; i < count; ++i)
    body.nfl_fh_list[i].bytes = handles.make(arena, striping.dense, static_cast<uint32_t>(i));
  xdr::Encoder encoder(arena);
  xdr::encode(encoder, body);
  return arena.copy(std::span<const std::byte>(encoder.flatten()));
}

}  // namespace pnfs::mds::layout
