// GETATTR (RFC 8881 18.7). Errors: INVAL (a write-only attribute), DELAY (a write delegation is being recalled), and
// those of the filehandle.
#include "mds/namespace/attributes.hpp"
#include "mds/ops/holder.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {
// What the holder of a write delegation may have changed without telling (10.4.3).
constexpr bitmap4 kChangedByHolder{FATTR4_CHANGE, FATTR4_SIZE, FATTR4_TIME_MODIFY, FATTR4_TIME_METADATA,
                                   FATTR4_SPACE_USED};

Status tell(MdsContext& context, const Inode& inode, const GETATTR4args& args, GETATTR4res& res) {
  const AttributeWriter writer(context.mds.facts(), context.mds.names().extents());
  return writer.write(inode, context.mds.handle_of(inode.fileid, inode.generation), args.attr_request, context.arena(),
                      res.resok4.obj_attributes);
}

io::Task<Status> ask_and_tell(MdsContext& context, Inode inode, const GETATTR4args& args, GETATTR4res& res) {
  Status status = co_await ask_holder(context, inode);
  if (!status) co_return status;
  co_return tell(context, inode, args, res);
}
}  // namespace

compound::Answer op_getattr(MdsContext& context, const GETATTR4args& args, GETATTR4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  if (!(args.attr_request & kChangedByHolder).none() && held_by_another(context, inode.fileid))
    return ask_and_tell(context, std::move(inode), args, res);
  return tell(context, inode, args, res);
}

}  // namespace pnfs::mds
