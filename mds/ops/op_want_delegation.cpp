// WANT_DELEGATION (RFC 8881 18.49). Errors: WRONG_TYPE, INVAL, NOTSUPP (CLAIM_DELEG_PREV_FH), GRACE, NO_GRACE, those of
// the filehandle.
#include "mds/ops/open.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

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

}  // namespace pnfs::mds
