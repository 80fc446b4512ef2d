// OPEN (RFC 8881 18.16). Errors: those of the claims, of creating (EXIST, NOSPC, PERM, ATTRNOTSUPP ...), ISDIR,
// SYMLINK, WRONG_TYPE, ACCESS, SHARE_DENIED, GRACE, NO_GRACE, RECLAIM_BAD, RECLAIM_CONFLICT, INVAL, ROFS, DELAY (a
// delegation is being recalled, a data server has not let go), BAD_STATEID (CLAIM_DELEGATE_CUR), those of names and of
// the filehandle.
#include "mds/data/file_io.hpp"
#include "mds/namespace/attributes.hpp"
#include "mds/ops/open.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {

Status check_grace(MdsContext& context, const OPEN4args& args) {
  switch (args.claim.claim) {
    case CLAIM_PREVIOUS:
      return context.require_grace();
    case CLAIM_DELEGATE_PREV:
    case CLAIM_DELEG_PREV_FH:
      // Nothing is kept for a client that comes back under the same owner, so there is nothing to claim (10.2.1).
      return fail(NFS4ERR_RECLAIM_BAD, "18.16.3", "delegations are not kept for CLAIM_DELEGATE_PREV");
    case CLAIM_DELEGATE_CUR:
    case CLAIM_DELEG_CUR_FH:
      return {};  // what a delegation that is held stands for is no new state: valid in the grace period too (18.16.3)
    default:
      return context.require_no_grace();
  }
}

// The delegation that CLAIM_DELEGATE_CUR and CLAIM_DELEG_CUR_FH show.
Status check_delegation(MdsContext& context, const OPEN4args& args, const Opening& opening) {
  const bool by_name = args.claim.claim == CLAIM_DELEGATE_CUR;
  if (!by_name && args.claim.claim != CLAIM_DELEG_CUR_FH) return {};
  const stateid4& argument = by_name ? args.claim.delegate_cur_info.delegate_stateid : args.claim.oc_delegate_stateid;
  stateid4 stateid;
  if (Status status = context.resolve_stateid(argument, stateid); !status) return status;
  state::Entry* found = nullptr;
  if (Status status = context.mds.state().find(context.clientid(), opening.file.fileid, stateid, found); !status) {
    return status;
  }
  if (found->kind == state::StateKind::delegation) return {};
  return fail(NFS4ERR_BAD_STATEID, "18.16.3", "{} is not a delegation", state::describe(stateid));
}

// Share reservation and delegations of others. Changes nothing but what has expired.
Status check_conflicts(MdsContext& context, const state::StateTable::OpenArgs& open, const Opening& opening) {
  Mds& mds = context.mds;
  while (mds.expire_courtesy(mds.state().share_conflicts(open))) {
  }
  const bool modifies = (opening.access & state::kShareWrite) != 0 || (opening.deny & state::kShareRead) != 0;
  return context.recall_delegations(opening.file.fileid, modifies);
}

}  // namespace

io::Task<Status> op_open(MdsContext& context, const OPEN4args& args, OPEN4res& res) {
  Opening opening;
  if (Status status = read_open_args(context, args, opening); !status) co_return status;
  if (Status status = check_grace(context, args); !status) co_return status;
  Mds& mds = context.mds;

  // Cutting an existing file may have to wait for data servers; afterwards everything is looked at anew.
  bool truncated = false;
  state::StateTable::OpenArgs open;
  for (;;) {
    const bitmap4 attrset = opening.attrset;
    if (Status status = find_target(context, args, opening); !status) co_return status;
    if (Status status = check_delegation(context, args, opening); !status) co_return status;
    open = {context.clientid(), opening.owner, opening.file.fileid, opening.access, opening.deny};
    if (Status status = check_conflicts(context, open, opening); !status) co_return status;
    const bool cut = opening.create && !opening.created && opening.set.size && !opening.verifier;
    if (!cut || truncated) {
      if (truncated) opening.attrset = attrset;
      break;
    }
    // The open must be possible before anything is cut.
    const auto in_the_way = mds.state().share_conflicts(open);
    if (!in_the_way.empty()) {
      co_return fail(NFS4ERR_SHARE_DENIED, "18.16.3", "client {:#x} holds a share reservation on file {}",
                     in_the_way.front(), opening.file.fileid);
    }
    SetAttributes size;
    size.size = opening.set.size;
    if (Status status = mds.names().check_set(opening.file, size, context.caller, false); !status) co_return status;
    Inode cut_file;
    Status status = co_await mds.file_io().set_attributes(opening.file.fileid, size, context.caller, cut_file);
    if (!status) co_return status;
    opening.attrset.set(FATTR4_SIZE);
    truncated = true;
  }

  stateid4 stateid;
  if (Status status = mds.state().open(open, stateid); !status) {
    if (opening.reclaim && status.status == NFS4ERR_SHARE_DENIED) {
      co_return fail(NFS4ERR_RECLAIM_CONFLICT, "15.1.9.5", "{}", status.reason);
    }
    co_return status;
  }
  if (!opening.by_handle) context.set_current_inode(opening.file);
  context.set_current_stateid(stateid);
  context.seen();
  context.trace.fileid = opening.file.fileid;
  context.trace.stateid = stateid;

  OPEN4resok& ok = res.resok4;
  ok.stateid = stateid;
  ok.cinfo = {true, opening.change.before, opening.change.after};
  ok.rflags = OPEN4_RESULT_LOCKTYPE_POSIX | OPEN4_RESULT_PRESERVE_UNLINKED | OPEN4_RESULT_MAY_NOTIFY_LOCK;
  ok.attrset = opening.attrset;
  if (opening.reclaim) {
    reclaim_delegation(context, opening.file, args.claim.delegate_type, ok.delegation);
  } else {
    decide_delegation(context, opening.file, opening.access, opening.wants, ok.delegation);
  }
  co_return Status{};
}

}  // namespace pnfs::mds
