// Whether an OPEN comes with a delegation (RFC 8881 10.4, 18.16.3).
#include "mds/ops/open.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {

// Why there is none. Only said to clients that spoke of delegations at all (18.16.3: NONE_EXT answers a WANT).
void refuse(why_no_delegation4 why, uint32_t wants, open_delegation4& out) {
  out = {};
  if (wants == 0) {
    out.delegation_type = OPEN_DELEGATE_NONE;
    return;
  }
  out.delegation_type = OPEN_DELEGATE_NONE_EXT;
  out.od_whynone.ond_why = why;
}

// Nothing is said about who may do what: the client asks by ACCESS, as without a delegation.
nfsace4 no_permissions() {
  nfsace4 ace;
  ace.type = ACE4_ACCESS_ALLOWED_ACE_TYPE;
  ace.who.text = "EVERYONE@";
  return ace;
}

void grant(MdsContext& context, const Inode& file, bool write, open_delegation4& out) {
  const stateid4 stateid =
      context.mds.state().delegate(context.clientid(), file.fileid, write, file.change, context.name());
  if (write) {
    out.delegation_type = OPEN_DELEGATE_WRITE;
    out.write.stateid = stateid;
    out.write.space_limit.limitby = NFS_LIMIT_SIZE;
    out.write.space_limit.filesize = kMaxFileBytes;
    out.write.permissions = no_permissions();
  } else {
    out.delegation_type = OPEN_DELEGATE_READ;
    out.read.stateid = stateid;
    out.read.permissions = no_permissions();
  }
}

}  // namespace

void decide_delegation(MdsContext& context, const Inode& file, uint32_t access, uint32_t wants, open_delegation4& out) {
  Mds& mds = context.mds;
  const uint32_t want = wants & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
  if (want == OPEN4_SHARE_ACCESS_WANT_NO_DELEG) return refuse(WND4_NOT_WANTED, wants, out);
  if (want == OPEN4_SHARE_ACCESS_WANT_CANCEL) return refuse(WND4_CANCELLED, wants, out);
  if (!mds.options().delegations) return refuse(WND4_RESOURCE, wants, out);
  // One that cannot be recalled would block others for a lease.
  const session::Session* session = context.session();
  if (session == nullptr || session->back_path_down()) return refuse(WND4_RESOURCE, wants, out);
  if (mds.state().delegation_of(context.clientid(), file.fileid) != nullptr) {
    return refuse(WND4_NOT_SUPP_UPGRADE, wants, out);
  }
  const bool writes = (access & state::kShareWrite) != 0;
  const bool write =
      want == OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG || (writes && want != OPEN4_SHARE_ACCESS_WANT_READ_DELEG);
  if (!mds.state().may_delegate(context.clientid(), file.fileid, write)) return refuse(WND4_CONTENTION, wants, out);
  // A delegation that goes back and forth costs its clients a round of recall, delay and return each time.
  const auto recalled = mds.state().last_recall(file.fileid);
  if (recalled && mds.now() < *recalled + mds.options().delegation_pause) return refuse(WND4_CONTENTION, wants, out);
  if (!mds.state().room_for_one(context.clientid())) return refuse(WND4_RESOURCE, wants, out);
  grant(context, file, write, out);
}

void reclaim_delegation(MdsContext& context, const Inode& file, open_delegation_type4 type, open_delegation4& out) {
  out = {};
  if (type != OPEN_DELEGATE_READ && type != OPEN_DELEGATE_WRITE) return;
  const bool write = type == OPEN_DELEGATE_WRITE;
  // It was held when the last instance ended, so nobody else can have been in its way.
  if (!context.mds.state().may_delegate(context.clientid(), file.fileid, write)) return;
  grant(context, file, write, out);
  if (context.mds.options().delegations) return;
  // Not wanted any more: given back at once (18.16.3, recall).
  (write ? out.write.recall : out.read.recall) = true;
}

}  // namespace pnfs::mds
