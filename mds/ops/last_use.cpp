#include "mds/ops/last_use.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> end_use_at_data_servers(MdsContext& context, const stateid4& given, state::FileId& file,
                                         stateid4& stateid) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) co_return status;
  if (Status status = context.resolve_stateid(given, stateid); !status) co_return status;
  context.trace.stateid = stateid;
  file = inode.fileid;
  state::Entry* found = nullptr;
  if (Status status = context.mds.state().find(context.clientid(), file, stateid, found); !status) co_return status;
  co_return co_await context.mds.pnfs().revoke_stateid(context.clientid(), file, stateid);
}

}  // namespace pnfs::mds
