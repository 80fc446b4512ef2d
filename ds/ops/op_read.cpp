// READ at a data server (RFC 8881 18.22, 13.6 to 13.10).
//
// NFS4ERR_NOFILEHANDLE     no PUTFH before
// NFS4ERR_BAD_STATEID      special, layout's or unknown stateid; a seqid that is not 0, where that is asked for (13.9.1)
// NFS4ERR_OLD_STATEID, _EXPIRED, _ADMIN_REVOKED, _DELEG_REVOKED, _OPENMODE, _STALE   as the MDS judges the stateid
// NFS4ERR_PNFS_NO_LAYOUT   no layout for this range, or this server lost its right to the volume
// NFS4ERR_PNFS_IO_HOLE     sparse: the range is not on this server's stripes (13.4.4)
// NFS4ERR_DELAY            the MDS did not grant in time
// NFS4ERR_IO               the device failed
//
// Bytes past what this server knows as the end of the file are not sent and eof is set; the client knows better where
// it matters (13.10).
#include "ds/io_path.hpp"
#include "ds/ops/ops.hpp"

namespace pnfs::ds {

io::Task<nfs::Status> op_read(DsContext& context, const nfs::READ4args& args, nfs::READ4res& res) {
  Ds& ds = context.ds;
  if (auto status = context.require_current(); !status) co_return status;
  uint64_t count = std::min<uint64_t>(args.count, ds.options().max_read_bytes);
  const size_t overhead = 16;  // eof, length, padding
  const size_t room = context.reply_room();
  count = std::min<uint64_t>(count, room > overhead ? room - overhead : 0);
  context.trace.offset = args.offset;
  context.trace.count = args.count;
  if (args.offset > UINT64_MAX - count) count = UINT64_MAX - args.offset;

  IoRight right;
  if (auto status = co_await take_right(context, args.stateid, Access::read, args.offset, count, right); !status)
    co_return status;

  // Cut at the end of the file; ranges are in the order of the request's bytes.
  uint64_t bytes = 0;
  bool past_end = count == 0 ? args.offset >= right.known_size : false;
  for (size_t i = 0; i < right.ranges.size(); ++i) {
    auto& range = right.ranges[i];
    if (range.file_offset + range.length <= right.known_size) {
      bytes += range.length;
      past_end = range.file_offset + range.length == right.known_size;
      continue;
    }
    past_end = true;
    range.length = range.file_offset < right.known_size ? right.known_size - range.file_offset : 0;
    bytes += range.length;
    right.ranges.resize(range.length == 0 ? i : i + 1);
    break;
  }

  auto buffer = std::make_shared<rpc::Buffer>(ds.buffers().take(std::max<uint64_t>(bytes, 1)));
  const std::span<std::byte> into(buffer->data(), bytes);
  if (bytes != 0) {
    if (auto status = check_lease(ds); !status) co_return status;
    auto done = co_await ds.data_io().read(right.ranges, into);
    if (!done) co_return device_failed(ds, done.error(), "18.22.4");
  }
  if (auto status = check_lease(ds); !status) co_return status;
  right.release();
  context.hold(buffer);
  res.resok4.eof = past_end;
  res.resok4.data.bytes = into;
  context.trace.bytes = bytes;
  co_return nfs::Status{};
}

}  // namespace pnfs::ds
