// PUTROOTFH and PUTPUBFH (RFC 8881 18.21, 18.20): the root of the server's namespace, which is its public filehandle
// too.
//
// Errors: SERVERFAULT when the volume has no root directory; NOTSUPP at a data server, which has none (13.6).
#include "common/compound/ops/shared_ops.hpp"
#include "common/compound/role.hpp"

namespace pnfs::compound {

nfs::Status op_putrootfh(Context& context, nfs::PUTROOTFH4res&) {
  return context.role().put_root(context);
}

nfs::Status op_putpubfh(Context& context, nfs::PUTPUBFH4res&) {
  return context.role().put_root(context);
}

}  // namespace pnfs::compound
