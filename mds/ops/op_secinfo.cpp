// SECINFO and SECINFO_NO_NAME (RFC 8881 18.29, 18.45): AUTH_SYS everywhere. Both consume the current filehandle
// (2.6.3.1.1.8). Errors: NOENT, NOTDIR, ACCESS, INVAL (style), those of names and of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {
template <class Res>
void answer(MdsContext& context, Res& resok) {
  const auto items = context.arena().make_array<secinfo4>(1);
  items[0].flavor = kFlavorSys;
  resok.items = items;
  context.current = {};
}
}  // namespace

Status op_secinfo(MdsContext& context, const SECINFO4args& args, SECINFO4res& res) {
  context.trace.path = args.name.text;
  Inode dir, found;
  if (Status status = context.current_dir(dir); !status) return status;
  if (Status status = context.mds.names().lookup(dir, args.name.text, context.caller, found); !status) return status;
  answer(context, res.resok4);
  return {};
}

Status op_secinfo_no_name(MdsContext& context, const SECINFO_NO_NAME4args& args, SECINFO_NO_NAME4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  if (args == SECINFO_STYLE4_PARENT) {
    Inode parent;
    if (inode.type != volume::FileType::directory) {
      return fail(NFS4ERR_NOTDIR, "18.45.3", "file {} is not a directory", inode.fileid);
    }
    if (Status status = context.mds.names().parent_of(inode, context.caller, parent); !status) return status;
  } else if (args != SECINFO_STYLE4_CURRENT_FH) {
    return fail(NFS4ERR_INVAL, "18.45.3", "style {} is unknown", static_cast<uint32_t>(args));
  }
  answer(context, res.resok4);
  return {};
}

}  // namespace pnfs::mds
