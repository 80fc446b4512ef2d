// Counts what data servers ask of a metadata server, from that one's trace.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "common/base/result.hpp"

namespace pnfs::bench {

class ControlCallCounter {
 public:
  explicit ControlCallCounter(std::string trace_file) : path_(std::move(trace_file)) {}

  // Calls since the last time, without those that join the cluster or keep a lease. Waits until the trace has caught up
  // with what has been answered.
  Result<uint64_t> count();

 private:
  std::string path_;
  std::streamoff at_ = 0;
};

}  // namespace pnfs::bench
