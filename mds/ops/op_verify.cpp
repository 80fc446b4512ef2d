// VERIFY (RFC 8881 18.31): goes on when the attributes are those given. Errors: NOT_SAME, INVAL (a write-only attribute
// or rdattr_error), ATTRNOTSUPP, those of the filehandle.
#include "mds/ops/compare_attributes.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_verify(MdsContext& context, const VERIFY4args& args, VERIFY4res&) {
  bool same = false;
  if (Status status = compare_attributes(context, args.obj_attributes, "18.31.3", same); !status) return status;
  if (same) return {};
  return fail(NFS4ERR_NOT_SAME, "18.31.3", "the attributes differ from those given");
}

}  // namespace pnfs::mds
