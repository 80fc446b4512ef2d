// pnfs-target and tgt side by side: the same reads by the same initiator (iscsi-perf of libiscsi), one target after the
// other, in turns, with the CPU time that each side spent.
// Blocks for the whole measurement. Needs iscsi-perf, tgtd, tgtadm, and root for tgtd.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::bench {

struct TargetBenchOptions {
  std::string target_program;       // pnfs-target
  std::string folder = "/dev/shm";  // where the two LUNs' files are: in memory, so that no disk is measured
  uint16_t base_port = 13290;       // and the one above it
  uint64_t lun_bytes = 256u << 20;  // each; a multiple of 1 MiB
  std::vector<uint64_t> sizes{4096, 65536, 1u << 20};  // bytes of a read
  std::vector<unsigned> depths{1, 16, 32};
  unsigned seconds = 2;  // of one run
  unsigned rounds = 3;   // each target's turns at each point; the median counts
};

struct TargetFigures {
  double operations_per_s = 0;
  double mib_per_s = 0;
  double target_us = 0;     // CPU time per operation at the target
  double initiator_us = 0;  // and at iscsi-perf
};

struct TargetPoint {
  uint64_t bytes = 0;
  unsigned depth = 0;
  TargetFigures ours;
  TargetFigures tgt;
};

// `on_point` is called as soon as a point is known.
// Errors: not_found (a program is missing: which package), permission, io; cancelled after SIGINT or SIGTERM.
Result<std::vector<TargetPoint>> bench_target(const TargetBenchOptions& options,
                                              const std::function<void(const TargetPoint&)>& on_point);

}  // namespace pnfs::bench
