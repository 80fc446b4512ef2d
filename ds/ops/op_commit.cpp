// COMMIT at a data server (RFC 8881 18.3, 13.7): a flush of the device, whatever the range.
//
// NFS4ERR_NOFILEHANDLE     no PUTFH before
// NFS4ERR_INVAL            offset + count is beyond 2^64
// NFS4ERR_PNFS_NO_LAYOUT   this server lost its right to the volume
// NFS4ERR_IO               the flush failed
//
// The verifier is read after the flush succeeded: a device session that was lost before shows in it.
#include "ds/io_path.hpp"
#include "ds/ops/ops.hpp"

namespace pnfs::ds {

io::Task<nfs::Status> op_commit(DsContext& context, const nfs::COMMIT4args& args, nfs::COMMIT4res& res) {
  Ds& ds = context.ds;
  if (auto status = context.require_current(); !status) co_return status;
  context.trace.offset = args.offset;
  context.trace.count = args.count;
  if (args.offset > UINT64_MAX - args.count)
    co_return nfs::fail(nfs::NFS4ERR_INVAL, "18.3.3", "offset {} + {} is beyond 2^64", args.offset, args.count);
  if (auto status = check_lease(ds); !status) co_return status;
  auto flushed = co_await ds.seams().store.flush();
  if (!flushed) co_return device_failed(ds, flushed.error(), "18.3.4");
  if (auto status = check_lease(ds); !status) co_return status;
  ds.link().write_verifier(false, res.resok4.writeverf.bytes);
  co_return nfs::Status{};
}

}  // namespace pnfs::ds
