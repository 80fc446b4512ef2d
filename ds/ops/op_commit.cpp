// COMMIT at a data server (RFC 8881 18.3, 13.7): a flush of the device, whatever the range.
//
// NFS4ERR_NOFILEHANDLE     no PUTFH before
// NFS4ERR_IO               the flush failed, this server lost its right to the volume, or the MDS could not be told how
//                          long the file has become
//
// The verifier is read after the flush succeeded: a device session that was lost before shows in it.
//
// A client owes a LAYOUTCOMMIT after this. When the MDS restarts in between, the layout is gone and 12.7.4 has the client
// reclaim or write again; Linux 6.1 does neither: it takes the refusal for success, and a file that its user has
// synced is empty. So the MDS knows the size before the data is called committed, unless `lazy_size`: what the RFC asks.
#include "ds/io_path.hpp"
#include "ds/ops/ops.hpp"

namespace pnfs::ds {

namespace {
// COMMIT may not answer PNFS_NO_LAYOUT (15.2).
nfs::Status as_io(nfs::Status status) {
  if (!status) status.status = nfs::NFS4ERR_IO;
  return status;
}
}  // namespace

io::Task<nfs::Status> op_commit(DsContext& context, const nfs::COMMIT4args& args, nfs::COMMIT4res& res) {
  Ds& ds = context.ds;
  if (auto status = context.require_current(); !status) co_return status;
  context.trace.offset = args.offset;
  context.trace.count = args.count;
  if (auto status = as_io(check_lease(ds)); !status) co_return status;
  auto handle = nfs::FileHandle::from_wire(context.current.bytes());
  auto flushed = co_await ds.seams().store.flush();
  if (!flushed) co_return as_io(device_failed(ds, flushed.error(), "18.3.4"));
  if (!ds.options().lazy_size && handle && !co_await ds.link().tell_size(context.call, handle->fileid))
    co_return nfs::fail(nfs::NFS4ERR_IO, "18.3.3", "the MDS is away: the size of the file cannot be told");
  if (auto status = as_io(check_lease(ds)); !status) co_return status;
  ds.link().write_verifier(false, res.resok4.writeverf.bytes);
  co_return nfs::Status{};
}

}  // namespace pnfs::ds
