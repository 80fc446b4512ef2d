// CREATE (RFC 8881 18.4): everything but regular files. Errors: BADTYPE, EXIST, NOTDIR, ACCESS, PERM, INVAL, MLINK,
// NOSPC, ROFS, ATTRNOTSUPP, BADOWNER, those of names and of the filehandle.
#include "mds/namespace/attributes.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_create(MdsContext& context, const CREATE4args& args, CREATE4res& res) {
  context.trace.path = args.objname.text;
  Inode dir;
  if (Status status = context.current_dir(dir); !status) return status;
  NewObject object;
  switch (args.objtype.type) {
    case NF4DIR:
    case NF4SOCK:
    case NF4FIFO:
      break;
    case NF4LNK:
      object.link_text = args.objtype.linkdata.text;
      break;
    case NF4BLK:
    case NF4CHR:
      object.rdev_major = args.objtype.devdata.specdata1;
      object.rdev_minor = args.objtype.devdata.specdata2;
      break;
    default:
      return fail(NFS4ERR_BADTYPE, "18.4.3", "type {} is not made by CREATE", static_cast<uint32_t>(args.objtype.type));
  }
  object.type = static_cast<volume::FileType>(args.objtype.type);
  if (Status status = context.require_writable(); !status) return status;
  if (Status status = read_settable(args.createattrs, context.arena(), object.attributes); !status) return status;
  if (object.attributes.size) return fail(NFS4ERR_INVAL, "18.4.3", "only regular files have a size to set");
  const bool device = args.objtype.type == NF4BLK || args.objtype.type == NF4CHR;
  if (device && !context.caller.root()) {
    return fail(NFS4ERR_PERM, "18.4.3", "only uid 0 makes device files, not uid {}", context.caller.uid);
  }
  Inode made;
  ChangeInfo change;
  if (Status status = context.mds.names().create(dir, args.objname.text, object, context.caller, made, change);
      !status) {
    return status;
  }
  context.set_current_inode(made);
  context.seen();
  res.resok4.cinfo = {true, change.before, change.after};
  res.resok4.attrset = mask_of(object.attributes);
  return {};
}

}  // namespace pnfs::mds
