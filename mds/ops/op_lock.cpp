// LOCK, LOCKT, LOCKU (RFC 8881 18.10, 18.11, 18.12). Ranges are advisory and merge and split as POSIX has it. Errors:
// DENIED (with who is in the way), INVAL, OPENMODE, BAD_STATEID, OLD_STATEID, GRACE, NO_GRACE, RECLAIM_BAD,
// RECLAIM_CONFLICT, ISDIR, SYMLINK, WRONG_TYPE, DELAY, those of the filehandle.
#include "mds/ops/lock_args.hpp"

namespace pnfs::mds {

using namespace nfs;
using state::StateTable;

Status read_range(nfs_lock_type4 type, uint64_t offset, uint64_t length, state::ByteRange& range) {
  if (type < READ_LT || type > WRITEW_LT) {
    return fail(NFS4ERR_INVAL, "18.10.3", "lock type {} is unknown", static_cast<uint32_t>(type));
  }
  const auto read = state::ByteRange::from_wire(offset, length);
  if (!read) return fail(NFS4ERR_INVAL, "18.10.3", "{} bytes from {} are not a range", length, offset);
  range = *read;
  return {};
}

void fill_denied(MdsContext& context, const StateTable::LockDenied& from, LOCK4denied& to) {
  to.offset = from.range.begin;
  to.length = from.range.wire_length();
  to.locktype = from.exclusive ? WRITE_LT : READ_LT;
  to.owner.clientid = from.client;
  to.owner.owner.bytes = context.arena().copy(std::as_bytes(std::span(from.owner)));
}

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

Status op_lockt(MdsContext& context, const LOCKT4args& args, LOCKT4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.length;
  Inode inode;
  if (Status status = context.current_file(inode); !status) return status;
  state::ByteRange range;
  if (Status status = read_range(args.locktype, args.offset, args.length, range); !status) return status;
  if (context.mds.in_grace()) return fail(NFS4ERR_GRACE, "18.11.3", "locks may still be reclaimed");
  const auto bytes = args.owner.owner.bytes;
  const std::string_view owner(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  StateTable::LockDenied denied;
  for (;;) {
    Status status = context.mds.state().test_lock(context.clientid(), owner, inode.fileid, range,
                                                  is_exclusive(args.locktype), denied);
    if (status.status != NFS4ERR_DENIED) return status;
    if (context.mds.expire_courtesy(std::span(&denied.client, 1))) continue;
    fill_denied(context, denied, res.denied);
    return status;
  }
}

Status op_locku(MdsContext& context, const LOCKU4args& args, LOCKU4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.length;
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  state::ByteRange range;
  if (Status status = read_range(args.locktype, args.offset, args.length, range); !status) return status;
  stateid4 stateid;
  if (Status status = context.resolve_stateid(args.lock_stateid, stateid); !status) return status;
  context.trace.stateid = stateid;
  if (Status status = context.mds.state().unlock(context.clientid(), inode.fileid, stateid, range, res.lock_stateid);
      !status) {
    return status;
  }
  context.set_current_stateid(res.lock_stateid);
  context.mds.send_lock_hints(inode.fileid);
  return {};
}

}  // namespace pnfs::mds
