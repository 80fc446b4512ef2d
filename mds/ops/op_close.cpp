// CLOSE (RFC 8881 18.2). Locks under the open go with it. Errors: BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, DELAY (a
// data server has not let go of the stateid), those of the filehandle.
#include "mds/ops/last_use.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_close(MdsContext& context, const CLOSE4args& args, CLOSE4res& res) {
  state::FileId file = 0;
  stateid4 stateid;
  Status gone = co_await end_use_at_data_servers(context, args.open_stateid, file, stateid);
  if (!gone) co_return gone;
  Mds& mds = context.mds;
  if (Status status = mds.state().close(context.clientid(), file, stateid); !status) co_return status;
  mds.maybe_reap(file);
  mds.send_lock_hints(file);
  // The stateid is no more: what comes back must not be used again (18.2.4).
  res.open_stateid = state::invalid_stateid();
  context.set_current_stateid(res.open_stateid);
  co_return Status{};
}

}  // namespace pnfs::mds
