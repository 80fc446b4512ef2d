// What the trace costs a metadata server: one with --trace and one without, the same requests by the same client over
// loopback, in turns. Blocks for the whole measurement.
#pragma once

#include <functional>
#include <vector>

#include "testbed/bench/mds_load.hpp"

namespace pnfs::bench {

struct TraceBenchOptions {
  std::string mds_program;
  std::string target_program;
  std::string folder = "/dev/shm";  // in memory, so that no disk is measured
  uint16_t base_port = 13300;       // and the three above it
  unsigned depth = 16;
  uint64_t operations = 20000;  // of each kind in one round
  unsigned rounds = 7;          // turns of each server; the median counts
};

struct TraceFigures {
  double operations_per_s = 0;
  double serving_us = 0;  // CPU time per operation of the thread that serves; not a number: the kernel does not say
  double server_us = 0;   // of all of the server
};

struct TracePoint {
  Load load{};
  TraceFigures off, on;
  double ratio = 0;  // operations per second, on / off: the median over the rounds, each beside its own neighbour
};

// Errors: not_found (one of our programs), io; cancelled after SIGINT or SIGTERM.
Result<std::vector<TracePoint>> bench_trace(const TraceBenchOptions& options,
                                            const std::function<void(const TracePoint&)>& progress);

}  // namespace pnfs::bench
