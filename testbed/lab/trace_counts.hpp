// What the servers' traces say about a run: how many operations of each kind each server executed, and what LAYOUTGET
// for write was answered.
#pragma once

#include <map>
#include <string>

#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

using OpCounts = std::map<std::string, uint64_t>;  // "WRITE" -> 32

struct TraceSummary {
  std::map<std::string, OpCounts> ops;    // by node: "mds", "ds1", ...
  std::map<std::string, uint64_t> calls;  // COMPOUNDs that executed at least one operation, by node
  std::string layoutget_rw_status;        // of the first LAYOUTGET for RW that failed; empty if none did
  std::string layoutget_rw_reason;
  uint64_t count(const std::string& node, const std::string& op) const;
};

// Reads the trace file of every MDS and data server. The servers must have written them out (they do when they end).
Result<TraceSummary> summarize_traces(const LabState& lab);

}  // namespace pnfs::lab
