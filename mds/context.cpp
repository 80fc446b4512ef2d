#include "mds/context.hpp"

#include "common/rpc/connection.hpp"

namespace pnfs::mds {

using nfs::fail;
using volume::FileType;

namespace {
// Mds::admit() has the last word about a client without a rule; nothing runs for it.
const ExportRule& rule_for(const Mds& mds, const rpc::Request& request) {
  static const ExportRule nobody{.read_only = true, .squash = {.all = true}};
  const ExportRule* rule = mds.options().exports.find(request.connection()->remote().address());
  return rule != nullptr ? *rule : nobody;
}
}  // namespace

MdsContext::MdsContext(rpc::Request& request, Mds& mds)
    : compound::Context(request, mds),
      mds(mds),
      rule(rule_for(mds, request)),
      caller(caller_of(request.credential(), rule.squash, request.arena())) {}

void MdsContext::seen() {
  wait_durable(mds.catalog().ticket());
}

namespace {
nfs::Status inode_of(MdsContext& context, std::span<const std::byte> bytes, Inode& out) {
  const auto handle = nfs::FileHandle::from_wire(bytes);
  if (!handle) return fail(nfs::NFS4ERR_BADHANDLE, "15.1.2.1", "this server never made such a filehandle");
  context.trace.fileid = handle->fileid;
  if (nfs::Status status = context.mds.names().get(handle->fileid, handle->generation, out); !status) return status;
  context.seen();
  return {};
}
}  // namespace

nfs::Status MdsContext::current_inode(Inode& out) {
  if (nfs::Status status = require_current(); !status) return status;
  return inode_of(*this, current.bytes(), out);
}

nfs::Status MdsContext::saved_inode(Inode& out) {
  if (nfs::Status status = require_saved(); !status) return status;
  return inode_of(*this, saved.bytes(), out);
}

nfs::Status require_regular(const Inode& inode, std::string_view section) {
  switch (inode.type) {
    case FileType::regular:
      return {};
    case FileType::directory:
      return {nfs::NFS4ERR_ISDIR, section, fmt::format("file {} is a directory", inode.fileid)};
    case FileType::symlink:
      return {nfs::NFS4ERR_SYMLINK, section, fmt::format("file {} is a symbolic link", inode.fileid)};
    default:
      return {nfs::NFS4ERR_WRONG_TYPE, section, fmt::format("file {} is not a regular file", inode.fileid)};
  }
}

nfs::Status MdsContext::current_file(Inode& out) {
  if (nfs::Status status = current_inode(out); !status) return status;
  return require_regular(out, "15.1.2");
}

nfs::Status MdsContext::current_dir(Inode& out) {
  if (nfs::Status status = current_inode(out); !status) return status;
  if (out.type == FileType::directory) return {};
  return fail(nfs::NFS4ERR_NOTDIR, "15.1.2.4", "file {} is not a directory", out.fileid);
}

void MdsContext::set_current_inode(const Inode& inode) {
  const auto wire = mds.handle_of(inode.fileid, inode.generation).to_wire();
  set_current(wire);
  trace.fileid = inode.fileid;
}

nfs::Status MdsContext::check_io_stateid(const Inode& inode, const nfs::stateid4& argument, uint32_t access,
                                         bool& by_open) {
  nfs::stateid4 stateid;
  if (nfs::Status status = resolve_stateid(argument, stateid); !status) return status;
  trace.stateid = stateid;
  const state::Special special = state::special_kind(stateid);
  by_open = special == state::Special::none;
  if (!by_open && mds.in_grace()) {
    // An open that denies this may be reclaimed any moment (8.4.2.1).
    return fail(nfs::NFS4ERR_GRACE, "8.4.2.1", "the {} stateid cannot be used in the grace period",
                state::describe(stateid));
  }
  nfs::Status status = mds.state().check_io(clientid(), inode.fileid, stateid, access);
  if (status.status == nfs::NFS4ERR_LOCKED && mds.expire_courtesy(mds.state().deny_conflicts(inode.fileid, access))) {
    status = mds.state().check_io(clientid(), inode.fileid, stateid, access);
  }
  return status;
}

nfs::Status MdsContext::recall_delegations(FileId file, bool modifies) {
  // Kept from one round to the next: when somebody's courtesy has ended, the others are marked recalled already.
  std::vector<state::StateTable::Recall> fresh;
  for (;;) {
    auto conflicts = mds.state().recall_conflicts(clientid(), file, modifies, mds.now());
    if (!conflicts.any()) return {};
    fresh.insert(fresh.end(), conflicts.fresh.begin(), conflicts.fresh.end());
    if (mds.expire_courtesy(conflicts.clients)) continue;
    mds.send_recalls(std::move(fresh));
    return fail(nfs::NFS4ERR_DELAY, "10.4", "{} delegations of file {} are being recalled", conflicts.pending, file);
  }
}

nfs::Status MdsContext::require_no_grace() {
  if (mds.in_grace()) {
    return fail(nfs::NFS4ERR_GRACE, "8.4.2.1", "clients of the last server instance may still reclaim");
  }
  const session::Client* known = client();
  if (known != nullptr && !known->reclaim_complete) {
    return fail(nfs::NFS4ERR_GRACE, "18.51.3", "the client has not sent RECLAIM_COMPLETE yet");
  }
  return {};
}

nfs::Status MdsContext::require_grace() {
  if (!mds.in_grace()) return fail(nfs::NFS4ERR_NO_GRACE, "8.4.2.1", "there is no grace period");
  const session::Client* known = client();
  // Also by asking for what it must not have: it is still recovering.
  if (known != nullptr) mds.grace().reclaiming(known->owner, mds.now());
  if (known == nullptr || known->reclaim_complete) {
    return fail(nfs::NFS4ERR_NO_GRACE, "18.51.3", "the client has sent RECLAIM_COMPLETE already");
  }
  if (!mds.grace().may_reclaim(known->owner)) {
    return fail(nfs::NFS4ERR_RECLAIM_BAD, "8.4.2.1", "the client held nothing when the last server instance ended");
  }
  return {};
}

nfs::Status MdsContext::require_writable() const {
  if (!rule.read_only) return {};
  return fail(nfs::NFS4ERR_ROFS, "15.1.4.15", "the volume is exported read-only to this client");
}

}  // namespace pnfs::mds
