// How much of a file to allocate when a data server is about to write there. Pure.
//
// A file that is written in order gets ever larger pieces, so that a long stream costs few calls and a small file
// little space. Its stripes are written by several nodes with many requests each: they come megabytes early and late,
// and one file may have several writers.
#pragma once

#include <map>
#include <vector>

#include "common/control/stripe_set.hpp"

namespace pnfs::mds::cluster {

class AllocationPlan {
 public:
  static constexpr uint64_t kLeast = 1ull << 20;
  static constexpr uint64_t kMost = 256ull << 20;
  // Who is ahead of a stream by no more than this, and than its last piece, belongs to it; the gap is filled.
  static constexpr uint64_t kReach = 16ull << 20;
  static constexpr uint64_t kFileEnd = 1ull << 62;  // nothing can be allocated behind it
  static constexpr size_t kStreams = 4;             // that are remembered of a file
  static constexpr size_t kFiles = 10'000;

  // What to allocate for a need of which something is not allocated yet: all of it, and more. From now on it counts as
  // done; whoever could do less says so with done_instead().
  control::ByteRange propose(uint64_t fileid, const control::ByteRange& need);
  // Empty: nothing at all.
  void done_instead(uint64_t fileid, const control::ByteRange& proposed, const control::ByteRange& done);

 private:
  struct Stream {
    uint64_t end = 0;    // of what was allocated last
    uint64_t bytes = 0;  // how much that was
  };
  std::map<uint64_t, std::vector<Stream>> files_;  // the stream that moved last comes last
};

}  // namespace pnfs::mds::cluster
