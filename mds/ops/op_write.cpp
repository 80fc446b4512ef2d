// WRITE at the MDS (RFC 8881 18.32). Errors: ISDIR, SYMLINK, WRONG_TYPE, ACCESS, BAD_STATEID, OLD_STATEID, OPENMODE,
// LOCKED, GRACE, DELAY, FBIG, NOSPC, ROFS, INVAL, IO, those of the filehandle.
#include "mds/data/file_io.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_write(MdsContext& context, const WRITE4args& args, WRITE4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.data.size();
  Inode inode;
  if (Status status = context.current_file(inode); !status) co_return status;
  if (args.stable > FILE_SYNC4) {
    co_return fail(NFS4ERR_INVAL, "18.32.3", "stable_how4 {} is unknown", static_cast<uint32_t>(args.stable));
  }
  if (Status status = context.require_writable(); !status) co_return status;
  bool by_open = false;
  if (Status status = context.check_io_stateid(inode, args.stateid, state::kShareWrite, by_open); !status) {
    co_return status;
  }
  if (!by_open && !context.caller.owns(inode) && !context.caller.may(inode, kMayWrite)) {
    co_return fail(NFS4ERR_ACCESS, "18.32.3", "uid {} may not write file {}", context.caller.uid, inode.fileid);
  }
  if (Status status = context.recall_delegations(inode.fileid, true); !status) co_return status;

  // The verifier in force when the bytes were handed to the device: if they are lost after that, it will have changed.
  const verifier4 verifier = context.mds.write_verifier();
  const bool stable = args.stable != UNSTABLE4;
  const size_t count = std::min<size_t>(args.data.size(), context.mds.options().max_write_bytes);
  if (count != 0) {
    const auto bytes = args.data.bytes.first(count);
    Status status = co_await context.mds.file_io().write(inode.fileid, args.offset, bytes, stable, context.caller);
    if (!status) co_return status;
  }
  context.seen();
  res.resok4.count = static_cast<count4>(count);
  // The reply waits for size and times too, so what is stable is all of it.
  res.resok4.committed = stable ? FILE_SYNC4 : UNSTABLE4;
  res.resok4.writeverf = verifier;
  context.trace.bytes = count;
  co_return Status{};
}

}  // namespace pnfs::mds
