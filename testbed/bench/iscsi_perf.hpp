// iscsi-perf, libiscsi's own measure: reads in order, as fast as the target answers, by an initiator that throws them
// away.
#pragma once

#include <string>

#include "common/base/result.hpp"

namespace pnfs::bench {

struct PerfOptions {
  std::string url;     // the LUN
  uint64_t bytes = 0;  // of a read, a multiple of 512
  unsigned depth = 1;
  unsigned seconds = 2;
  std::string folder;  // for its log
};
struct PerfFigures {
  double operations_per_s = 0;
  double operations = 0;    // of the whole run
  double initiator_us = 0;  // CPU time of iscsi-perf for each
};

// Errors: not_found (which package), io, cancelled after an interrupt.
Result<PerfFigures> run_iscsi_perf(const PerfOptions& options);

}  // namespace pnfs::bench
