// NVERIFY (RFC 8881 18.15): goes on when the attributes differ from those given. Errors: SAME, INVAL (a write-only
// attribute or rdattr_error), ATTRNOTSUPP, those of the filehandle.
#include "mds/ops/compare_attributes.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_nverify(MdsContext& context, const NVERIFY4args& args, NVERIFY4res&) {
  bool same = false;
  if (Status status = compare_attributes(context, args.obj_attributes, "18.15.3", same); !status) return status;
  if (!same) return {};
  return fail(NFS4ERR_SAME, "18.15.3", "the attributes are those given");
}

}  // namespace pnfs::mds
