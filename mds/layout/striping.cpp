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

FileStriping make_striping(const Personality& personality, std::shared_ptr<const Device> device, uint64_t fileid) {
  FileStriping striping;
  striping.device = std::move(device);
  striping.unit_bytes = personality.stripe_bytes;
  striping.dense = personality.dense;
  striping.commit_thru_mds = personality.commit_thru_mds;
  striping.pattern_offset = personality.pattern_offset;
  striping.one_handle = personality.one_handle;
  const uint32_t count = striping.count();
  switch (personality.first_index) {
    case FirstIndexRule::zero:
      break;
    case FirstIndexRule::inode_mask:
      // pnfs-dlm's arithmetic: right only when the number of servers is a power of two.
      striping.first_index = static_cast<uint32_t>(fileid & (striping.device->servers.size() - 1)) % count;
      break;
    case FirstIndexRule::inode_modulo:
      striping.first_index = static_cast<uint32_t>(fileid % count);
      break;
  }
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
  // 13.3: dense needs one filehandle for each stripe index; sparse takes one for all or one for each data server.
  size_t count = 1;
  if (striping.dense) {
    count = striping.count();
  } else if (!striping.one_handle) {
    count = striping.device->servers.size();
  }
  body.nfl_fh_list.items = arena.make_array<nfs::nfs_fh4>(count);
  for (size_t i = 0; i < count; ++i)
    body.nfl_fh_list[i].bytes = handles.make(arena, striping.dense, static_cast<uint32_t>(i));
  xdr::Encoder encoder(arena);
  xdr::encode(encoder, body);
  return arena.copy(std::span<const std::byte>(encoder.flatten()));
}

}  // namespace pnfs::mds::layout
