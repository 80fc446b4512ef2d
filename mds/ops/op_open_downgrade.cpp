// OPEN_DOWNGRADE (RFC 8881 18.18). Errors: INVAL (not a union of opens in effect), BAD_STATEID, OLD_STATEID,
// ADMIN_REVOKED, DELAY (a data server has not let go of the stateid), those of the filehandle.
#include "mds/ops/last_use.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_open_downgrade(MdsContext& context, const OPEN_DOWNGRADE4args& args, OPEN_DOWNGRADE4res& res) {
  state::FileId file = 0;
  stateid4 stateid;
  Status gone = co_await end_use_at_data_servers(context, args.open_stateid, file, stateid);
  if (!gone) co_return gone;
  Mds& mds = context.mds;
  const uint32_t access = args.share_access & ~OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
  Status status =
      mds.state().downgrade(context.clientid(), file, stateid, access, args.share_deny, res.resok4.open_stateid);
  if (!status) co_return status;
  context.set_current_stateid(res.resok4.open_stateid);
  co_return Status{};
}

}  // namespace pnfs::mds
