// Space for what data servers are about to write.
#include "common/volume/volume.hpp"
#include "mds/control/cluster.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

constexpr uint64_t kLeastAllocated = 1ull << 20;
constexpr uint64_t kMostAllocated = 256ull << 20;  // for one request; grows to this while a file is written in order
constexpr size_t kMostGrowths = 10'000;
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
    auto extents = mds_.volume().extents().allocate(fileid, range.offset, range.length());
    if (!extents) {
      why = extents.error().reason;
      co_return extents.error().code == Errc::no_space ? CTL_NO_SPACE
      : extents.error().code == Errc::busy             ? CTL_DELAY
                                                       : CTL_IO;
    }
    if (auto inode = mds_.catalog().get(fileid)) {
      auto mapped = mds_.volume().extents().mapped_bytes(fileid);
      if (mapped && inode->space_used != *mapped) {
        inode->space_used = *mapped;
        if (auto put = mds_.catalog().put(*inode); !put) {
          why = put.error().reason;
          co_return CTL_IO;
        }
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

// Twice as much as last time while a file is written in order, so that a long stream costs few calls and a small file
// little space; less when that is not to be had. A file's stripes are written by several nodes, each with many requests at
// a time: who comes late asks for what is there already, who comes early leaves no gap behind.
io::Task<control_status> Cluster::allocate_ahead(uint64_t fileid, const ByteRange& need, std::string& why) {
  const ByteRange aligned = align_out(need);
  if (is_allocated(fileid, aligned)) co_return co_await allocate(fileid, aligned, why);
  const auto known = growth_.find(fileid);
  const Growth last = known == growth_.end() ? Growth{} : known->second;
  const bool in_order = aligned.offset >= last.end - last.bytes && aligned.offset <= last.end + last.bytes;
  const uint64_t begin = in_order ? std::min(aligned.offset, last.end) : aligned.offset;
  const uint64_t least = aligned.end - begin;
  uint64_t bytes = std::max({least, kLeastAllocated, in_order ? std::min(last.bytes * 2, kMostAllocated) : 0});
  if (begin > kToEnd - bytes) bytes = least;
  for (;;) {
    const auto status = co_await allocate(fileid, {begin, begin + bytes}, why);
    if (status == CTL_OK) {
      if (growth_.size() > kMostGrowths) growth_.clear();
      growth_[fileid] = {begin + bytes, bytes};
      co_return CTL_OK;
    }
    if (status != CTL_NO_SPACE && status != CTL_DELAY) co_return status;
    if (bytes == least) break;
    bytes = std::max(bytes / 2 / kAlign * kAlign, least);
  }
  co_return co_await allocate(fileid, aligned, why);
}

}  // namespace pnfs::mds::cluster
