// READLINK (RFC 8881 18.24). Errors: WRONG_TYPE for what is not a symbolic link, those of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

Status op_readlink(MdsContext& context, READLINK4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  if (inode.type != volume::FileType::symlink) {
    return fail(NFS4ERR_WRONG_TYPE, "18.24.3", "file {} is not a symbolic link", inode.fileid);
  }
  res.resok4.link.text = context.arena().copy(std::string_view(inode.symlink_target));
  return {};
}

}  // namespace pnfs::mds
