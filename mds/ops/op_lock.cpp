// LOCK (RFC 8881 18.10). Ranges are advisory and merge and split as POSIX has it. Errors: DENIED (with who is in the
// way), INVAL, OPENMODE, BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, GRACE, NO_GRACE, RECLAIM_BAD, RECLAIM_CONFLICT,
// ISDIR, SYMLINK, WRONG_TYPE, DELAY, those of the filehandle.
#include "mds/ops/lock_args.hpp"

namespace pnfs::mds {

using namespace nfs;
using state::StateTable;

Status op_lock(MdsContext& context, const LOCK4args& args, LOCK4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.length;
  Inode inode;
  if (Status status = context.current_file(inode); !status) return status;
  StateTable::LockArgs lock;
  if (Status status = read_range(args.locktype, args.offset, args.length, lock.range); !status) return status;
  lock.client = context.clientid();
  lock.file = inode.fileid;
  lock.exclusive = is_exclusive(args.locktype);
  lock.now = context.mds.now();
  std::string_view owner;
  if (args.locker.new_lock_owner) {
    const auto bytes = args.locker.open_owner.lock_owner.owner.bytes;
    owner = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    lock.owner = owner;
  }
  const stateid4& argument =
      args.locker.new_lock_owner ? args.locker.open_owner.open_stateid : args.locker.lock_owner.lock_stateid;
  if (Status status = context.resolve_stateid(argument, lock.stateid); !status) return status;
  context.trace.stateid = lock.stateid;
  if (Status status = args.reclaim ? context.require_grace() : context.require_no_grace(); !status) return status;

  Mds& mds = context.mds;
  StateTable::LockDenied denied;
  Status status = mds.state().lock(lock, res.resok4.lock_stateid, denied);
  while (status.status == NFS4ERR_DENIED && mds.expire_courtesy(std::span(&denied.client, 1))) {
    status = mds.state().lock(lock, res.resok4.lock_stateid, denied);
  }
  if (status.status == NFS4ERR_DENIED) {
    if (args.reclaim) return fail(NFS4ERR_RECLAIM_CONFLICT, "15.1.9.5", "{}", status.reason);
    fill_denied(context, denied, res.denied);
    if (is_blocking(args.locktype)) {
      if (!lock.owner) owner = mds.state().lock_owner_of(lock.stateid);
      mds.state().wait_for_lock(
          inode.fileid, {lock.client, std::string(owner), lock.range, lock.exclusive, mds.now() + mds.options().lease});
    }
    return status;
  }
  if (!status) return status;
  context.set_current_stateid(res.resok4.lock_stateid);
  // A write lock turned into a read lock lets readers in.
  mds.send_lock_hints(inode.fileid);
  return {};
}

}  // namespace pnfs::mds
