// WRITE at a data server (RFC 8881 18.32, 13.6 to 13.9).
//
// NFS4ERR_NOFILEHANDLE     no PUTFH before
// NFS4ERR_INVAL            stable_how is not one of three
// NFS4ERR_BAD_STATEID, _OLD_STATEID, _EXPIRED, _ADMIN_REVOKED, _DELEG_REVOKED, _OPENMODE, _STALE   as at READ
// NFS4ERR_PNFS_NO_LAYOUT   no RW layout for this range, or this server lost its right to the volume
// NFS4ERR_PNFS_IO_HOLE     sparse: the range is not on this server's stripes (13.4.4)
// NFS4ERR_NOSPC            the volume is full
// NFS4ERR_DELAY            the MDS did not grant in time
// NFS4ERR_IO               the device failed
//
// Stability (design): UNSTABLE4 is a WRITE; DATA_SYNC4 a durable one; FILE_SYNC4 also waits until the MDS holds the new
// size durably. The verifier is that of the device epoch in force when the write was submitted.
#include "ds/io_path.hpp"
#include "ds/ops/ops.hpp"

namespace pnfs::ds {

io::Task<nfs::Status> op_write(DsContext& context, const nfs::WRITE4args& args, nfs::WRITE4res& res) {
  Ds& ds = context.ds;
  if (auto status = context.require_current(); !status) co_return status;
  if (args.stable > nfs::FILE_SYNC4)
    co_return nfs::fail(nfs::NFS4ERR_INVAL, "18.32.3", "stable_how {} is not UNSTABLE4, DATA_SYNC4 or FILE_SYNC4",
                        static_cast<uint32_t>(args.stable));
  const uint64_t bytes = std::min<uint64_t>(args.data.size(), ds.options().max_write_bytes);
  context.trace.offset = args.offset;
  context.trace.count = args.data.size();

  IoRight right;
  if (auto status = co_await take_right(context, args.stateid, Access::write, args.offset, bytes, right); !status)
    co_return status;
  std::array<std::byte, 8> verifier;
  if (!ds.link().write_verifier(right.commit_thru_mds, verifier))
    co_return nfs::fail(nfs::NFS4ERR_DELAY, "13.7", "the MDS has not heard of the lost device session yet");

  if (bytes != 0) {
    if (auto status = check_lease(ds); !status) co_return status;
    const block::ConstPiece piece = args.data.bytes.first(bytes);
    const auto fua = args.stable == nfs::UNSTABLE4 ? block::Fua::no : block::Fua::yes;
    auto done = co_await ds.data_io().write(right.ranges, std::span(&piece, 1), fua);
    if (!done) co_return device_failed(ds, done.error(), "18.32.4");
    right.wrote();
  }
  if (auto status = check_lease(ds); !status) co_return status;
  right.release();
  if (args.stable == nfs::FILE_SYNC4 && bytes != 0) {
    auto told = co_await ds.link().file_changed(context.call, right.fileid, right.generation, right.file_end, true);
    // The data is durable; that its size is known cannot be said. DATA_SYNC4 would be less than was asked for.
    if (!told) co_return nfs::fail(nfs::NFS4ERR_DELAY, "18.32.3", "FILE_SYNC4: {}", told.error().reason);
    if (auto status = check_lease(ds); !status) co_return status;
  }
  res.resok4.count = static_cast<uint32_t>(bytes);
  res.resok4.committed = args.stable;
  res.resok4.writeverf.bytes = verifier;
  context.trace.bytes = bytes;
  co_return nfs::Status{};
}

}  // namespace pnfs::ds
