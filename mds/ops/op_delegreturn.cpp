// DELEGRETURN (RFC 8881 18.6). Errors: BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, DELEG_REVOKED, DELAY (a data server has
// not let go of the stateid), those of the filehandle.
#include "mds/ops/last_use.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_delegreturn(MdsContext& context, const DELEGRETURN4args& args, DELEGRETURN4res&) {
  state::FileId file = 0;
  stateid4 stateid;
  Status gone = co_await end_use_at_data_servers(context, args.deleg_stateid, file, stateid);
  if (!gone) co_return gone;
  Mds& mds = context.mds;
  if (Status status = mds.state().return_delegation(context.clientid(), file, stateid); !status) {
    co_return status;
  }
  mds.maybe_reap(file);
  co_return Status{};
}

}  // namespace pnfs::mds
