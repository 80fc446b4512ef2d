// DELEGRETURN, DELEGPURGE, WANT_DELEGATION, GET_DIR_DELEGATION (RFC 8881 18.6, 18.5, 18.49, 18.39). Errors:
// BAD_STATEID, OLD_STATEID, DELEG_REVOKED, DELAY; NOTSUPP for DELEGPURGE, because CLAIM_DELEGATE_PREV is not offered;
// INVAL, GRACE, WRONG_TYPE, NOTDIR, those of the filehandle. Directory delegations are always unavailable.
#include "mds/ops/open.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_delegreturn(MdsContext& context, const DELEGRETURN4args& args, DELEGRETURN4res&) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) co_return status;
  stateid4 stateid;
  if (Status status = context.resolve_stateid(args.deleg_stateid, stateid); !status) co_return status;
  context.trace.stateid = stateid;
  Mds& mds = context.mds;
  state::Entry* found = nullptr;
  if (Status status = mds.state().find(context.clientid(), inode.fileid, stateid, found); !status) co_return status;
  Status gone = co_await mds.pnfs().revoke_stateid(context.clientid(), inode.fileid, stateid);
  if (!gone) co_return gone;
  if (Status status = mds.state().return_delegation(context.clientid(), inode.fileid, stateid); !status) {
    co_return status;
  }
  mds.maybe_reap(inode.fileid);
  co_return Status{};
}

Status op_delegpurge(MdsContext&, const DELEGPURGE4args&, DELEGPURGE4res&) {
  return fail(NFS4ERR_NOTSUPP, "18.5.3", "delegations are not kept for CLAIM_DELEGATE_PREV");
}

Status op_want_delegation(MdsContext& context, const WANT_DELEGATION4args& args, WANT_DELEGATION4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  if (inode.type != volume::FileType::regular) {
    return fail(NFS4ERR_WRONG_TYPE, "18.49.3", "file {} is not a regular file", inode.fileid);
  }
  const bool reclaim = args.wda_claim.dc_claim == CLAIM_PREVIOUS;
  if (args.wda_claim.dc_claim == CLAIM_DELEG_PREV_FH) {
    return fail(NFS4ERR_NOTSUPP, "18.49.3", "delegations are not kept for CLAIM_DELEG_PREV_FH");
  }
  if (Status status = reclaim ? context.require_grace() : context.require_no_grace(); !status) return status;
  if (Status status = check_wants(args.wda_want); !status) return status;
  const uint32_t want = args.wda_want & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
  if (reclaim) {
    reclaim_delegation(context, inode, args.wda_claim.dc_delegate_type, res.wdr_resok4);
    return {};
  }
  const uint32_t access = want == OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG ? state::kShareBoth : state::kShareRead;
  // Without a want there is nothing to answer but why not.
  decide_delegation(context, inode, access, want == 0 ? OPEN4_SHARE_ACCESS_WANT_ANY_DELEG : args.wda_want,
                    res.wdr_resok4);
  return {};
}

Status op_get_dir_delegation(MdsContext& context, const GET_DIR_DELEGATION4args&, GET_DIR_DELEGATION4res& res) {
  Inode dir;
  if (Status status = context.current_dir(dir); !status) return status;
  res.gddr_res_non_fatal4.gddrnf_status = GDD4_UNAVAIL;
  res.gddr_res_non_fatal4.gddrnf_will_signal_deleg_avail = false;
  return {};
}

}  // namespace pnfs::mds
