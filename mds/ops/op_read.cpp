// READ at the MDS (RFC 8881 18.22): clients without a layout, and those that gave theirs up. Errors: ISDIR, SYMLINK,
// WRONG_TYPE, ACCESS, BAD_STATEID, OLD_STATEID, OPENMODE, LOCKED, GRACE, DELAY, IO, those of the filehandle.
#include "mds/data/file_io.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_read(MdsContext& context, const READ4args& args, READ4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.count;
  Inode inode;
  if (Status status = context.current_file(inode); !status) co_return status;
  bool by_open = false;
  if (Status status = context.check_io_stateid(inode, args.stateid, state::kShareRead, by_open); !status) {
    co_return status;
  }
  // An execute-only program must be readable to be run; the client keeps read(2) from it.
  if (!by_open && !context.caller.owns(inode) && (context.caller.allowed(inode) & (kMayRead | kMayExecute)) == 0) {
    co_return fail(NFS4ERR_ACCESS, "18.22.3", "uid {} may not read file {}", context.caller.uid, inode.fileid);
  }
  if (Status status = context.recall_delegations(inode.fileid, false); !status) co_return status;

  constexpr size_t kOverheadBytes = 4 + 4 + 3;  // eof, length, padding
  const size_t room = context.reply_room();
  uint64_t count = std::min<uint64_t>(args.count, context.mds.options().max_read_bytes);
  count = std::min<uint64_t>(count, room > kOverheadBytes ? room - kOverheadBytes : 0);
  count = args.offset >= inode.size ? 0 : std::min<uint64_t>(count, inode.size - args.offset);
  res.resok4.eof = args.offset + count >= inode.size;
  if (count == 0) co_return Status{};

  // Not initialised on purpose: every byte is read into or the reply is an error.
  const std::span<std::byte> into(static_cast<std::byte*>(context.arena().allocate(count, 8)), count);
  Status status = co_await context.mds.file_io().read(inode.fileid, args.offset, into);
  if (!status) co_return status;
  res.resok4.data.bytes = into;
  context.trace.bytes = count;
  co_return Status{};
}

}  // namespace pnfs::mds
