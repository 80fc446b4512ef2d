// Space for what data servers are about to write.
#include "common/volume/volume.hpp"
#include "mds/control/cluster.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

constexpr uint64_t kAlign = volume::kExtentAlign;

}  // namespace

ByteRange align_out(const ByteRange& range) {
  const uint64_t end = range.end > UINT64_MAX - kAlign ? kToEnd : (range.end + kAlign - 1) / kAlign * kAlign;
  return {range.offset / kAlign * kAlign, end};
}

io::Task<control_status> Cluster::allocate(uint64_t fileid, ByteRange range, std::string& why) {
  uint64_t ticket = 0;
  {
    auto savepoint = mds_.catalog().begin();
    if (!savepoint) {
      why = savepoint.error().reason;
      co_return CTL_DELAY;
    }
    auto inode = mds_.catalog().get(fileid);
    if (!inode) {
      why = "the file was removed";
      co_return CTL_NOT_FOUND;
    }
    auto extents = mds_.volume().extents().allocate(fileid, range.offset, range.length());
    if (!extents) {
      why = extents.error().reason;
      co_return extents.error().code == Errc::no_space ? CTL_NO_SPACE
      : extents.error().code == Errc::busy             ? CTL_DELAY
                                                       : CTL_IO;
    }
    auto mapped = mds_.volume().extents().mapped_bytes(fileid);
    if (mapped && inode->space_used != *mapped) {
      inode->space_used = *mapped;
      if (auto put = mds_.catalog().put(*inode); !put) {
        why = put.error().reason;
        co_return CTL_IO;
      }
    }
    auto released = savepoint->release();
    if (!released) {
      why = released.error().reason;
      co_return CTL_IO;
    }
    ticket = *released;
  }
  // Design, No unwritten extents: the allocation is durable before the grant leaves.
  auto durable = co_await mds_.volume().durable(ticket);
  if (!durable) {
    why = durable.error().reason;
    co_return CTL_IO;
  }
  co_return CTL_OK;
}

bool Cluster::is_allocated(uint64_t fileid, const ByteRange& range) {
  const auto extents = mds_.volume().extents().get(fileid, range.offset, range.length());
  uint64_t at = range.offset;
  for (const auto& extent : extents ? *extents : std::vector<volume::Extent>{})
    if (extent.file_offset <= at) at = std::max(at, extent.file_end());
  return at >= range.end;
}

io::Task<control_status> Cluster::allocate_ahead(uint64_t fileid, const ByteRange& need, std::string& why) {
  const ByteRange aligned = align_out(need);
  if (is_allocated(fileid, aligned)) co_return co_await allocate(fileid, aligned, why);
  const ByteRange proposed = plan_.propose(fileid, aligned);
  // Less and less of it when that is not to be had; at last what is needed.
  for (ByteRange range = proposed;;) {
    const auto status = co_await allocate(fileid, range, why);
    const bool give_up = (status != CTL_NO_SPACE && status != CTL_DELAY) || range == aligned;
    if (status == CTL_OK && range == proposed) co_return status;
    if (status == CTL_OK || give_up) {
      plan_.done_instead(fileid, proposed, status == CTL_OK ? range : ByteRange{0, 0});
      co_return status;
    }
    const uint64_t half = range.offset + range.length() / 2 / kAlign * kAlign;
    range = half > aligned.end ? ByteRange{range.offset, half} : aligned;
  }
}

}  // namespace pnfs::mds::cluster
