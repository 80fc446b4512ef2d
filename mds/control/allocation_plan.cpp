#include "mds/control/allocation_plan.hpp"

#include <algorithm>

namespace pnfs::mds::cluster {

using control::ByteRange;

ByteRange AllocationPlan::propose(uint64_t fileid, const ByteRange& need) {
  if (files_.size() > kFiles) files_.clear();
  auto& streams = files_[fileid];
  // A need that ends within what was allocated last is no continuation: the file was cut, or it has holes there.
  const auto continues = [&](const Stream& s) {
    return need.end > s.end && need.offset >= s.end - s.bytes && need.offset <= s.end + std::min(s.bytes, kReach);
  };
  const auto nearest = std::ranges::max_element(streams, {}, [&](const Stream& s) { return continues(s) ? s.end : 0; });
  uint64_t begin = need.offset, bytes = kLeast;
  if (nearest != streams.end() && continues(*nearest)) {
    begin = std::min(need.offset, nearest->end);
    bytes = std::min(nearest->bytes * 2, kMost);
    streams.erase(nearest);
  } else if (streams.size() == kStreams) {
    streams.erase(streams.begin());
  }
  const uint64_t end = std::max(need.end, std::min(begin + bytes, kFileEnd));
  streams.push_back({end, end - begin});
  return {begin, end};
}

void AllocationPlan::done_instead(uint64_t fileid, const ByteRange& proposed, const ByteRange& done) {
  const auto file = files_.find(fileid);
  if (file == files_.end()) return;
  const auto stream = std::ranges::find(file->second, proposed.end, &Stream::end);
  if (stream == file->second.end()) return;
  if (done.empty())
    file->second.erase(stream);
  else
    *stream = {done.end, done.length()};
}

}  // namespace pnfs::mds::cluster
