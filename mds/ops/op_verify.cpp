// VERIFY and NVERIFY (RFC 8881 18.31, 18.15): compare attributes on the server. Errors: NOT_SAME or SAME, INVAL (a
// write-only attribute or rdattr_error), ATTRNOTSUPP, and those of the filehandle.
#include <algorithm>

#include "common/nfs/attributes.hpp"
#include "mds/namespace/attributes.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {

Status compare(MdsContext& context, const fattr4& theirs, std::string_view section, bool& same) {
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

}  // namespace

Status op_verify(MdsContext& context, const VERIFY4args& args, VERIFY4res&) {
  bool same = false;
  if (Status status = compare(context, args.obj_attributes, "18.31.3", same); !status) return status;
  if (same) return {};
  return fail(NFS4ERR_NOT_SAME, "18.31.3", "the attributes differ from those given");
}

Status op_nverify(MdsContext& context, const NVERIFY4args& args, NVERIFY4res&) {
  bool same = false;
  if (Status status = compare(context, args.obj_attributes, "18.15.3", same); !status) return status;
  if (!same) return {};
  return fail(NFS4ERR_SAME, "18.15.3", "the attributes are those given");
}

}  // namespace pnfs::mds
