#include "mds/ops/compare_attributes.hpp"

#include <algorithm>

#include "common/nfs/attributes.hpp"
#include "mds/namespace/attributes.hpp"

namespace pnfs::mds {

using namespace nfs;

Status compare_attributes(MdsContext& context, const fattr4& theirs, std::string_view section, bool& same) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  // Decoded although the bytes are compared: malformed values are BADXDR, not a difference.
  Attributes decoded;
  if (Status status = decode_attributes(theirs, supported_attributes(), DecodeFor::compare, context.arena(), decoded);
      !status) {
    return status;
  }
  const AttributeWriter writer(context.mds.facts(), context.mds.names().extents());
  fattr4 ours;
  if (Status status = writer.write(inode, context.mds.handle_of(inode.fileid, inode.generation), theirs.attrmask,
                                   context.arena(), ours);
      !status) {
    status.section = section;
    return status;
  }
  same = std::ranges::equal(ours.attr_vals.bytes, theirs.attr_vals.bytes);
  return {};
}

}  // namespace pnfs::mds
