// COMMIT at the MDS (RFC 8881 18.3): the whole device is flushed, so offset and count only have to make sense. Errors:
// ISDIR, SYMLINK, WRONG_TYPE, DELAY, IO, those of the filehandle.
#include "mds/data/file_io.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

io::Task<Status> op_commit(MdsContext& context, const COMMIT4args& args, COMMIT4res& res) {
  context.trace.offset = args.offset;
  context.trace.count = args.count;
  Inode inode;
  if (Status status = context.current_file(inode); !status) co_return status;
  {
    // A layout with COMMIT_THRU_MDS needs no LAYOUTCOMMIT behind this (13.7; Linux sends none): how far data servers
    // wrote comes with the grants that they give back.
    std::unique_ptr<DataGuard::Hold> hold;
    if (Status status = co_await context.mds.pnfs().hold(inode.fileid, 0, UINT64_MAX, false, hold); !status)
      co_return status;
  }
  Status status = co_await context.mds.file_io().flush();
  if (!status) co_return status;
  context.seen();
  // Read after the flush: a device session lost during it shows (design, NFS stability).
  res.resok4.writeverf = context.mds.write_verifier();
  co_return Status{};
}

}  // namespace pnfs::mds
