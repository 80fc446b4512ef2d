// pnfs-mds and NFS-Ganesha side by side: the same requests by the same client over loopback, one server after the
// other, in turns, with the CPU time that each spent. pnfs-mds has its metadata on the volume before it replies;
// NFS-Ganesha's files lie in memory. A bare echo server tells what the connection alone costs.
// Blocks for the whole measurement.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "testbed/bench/echo.hpp"
#include "testbed/bench/idle_clients.hpp"
#include "testbed/bench/mds_load.hpp"

namespace pnfs::bench {

struct MdsBenchOptions {
  std::string mds_program;
  std::string target_program;
  std::string folder = "/dev/shm";  // in memory, so that no disk is measured
  uint16_t base_port = 13300;       // and the two above it
  unsigned depth = 16;
  uint64_t operations = 20000;  // of each kind in one round
  unsigned rounds = 3;          // each server's turns; the median counts
  uint32_t clients = 1000;      // idle ones, whose memory is measured; 0: none
};

struct MdsFigures {
  double operations_per_s = 0;
  double server_us = 0;  // CPU time per operation at the server
  double target_us = 0;  // at pnfs-mds's target
  double client_us = 0;  // and at the client
};

struct MdsPoint {
  Load load{};
  MdsFigures ours;
  std::optional<MdsFigures> ganesha;
};
// At most so much of Ganesha's CPU time.
double goal_of(Load load);

struct MdsReport {
  EchoFigures echo;
  std::vector<MdsPoint> points;
  std::string without_ganesha;  // why it was not measured; empty: it was
  std::optional<IdleFigures> idle;
};

// What is told while it runs.
struct MdsProgress {
  std::function<void(const std::string&)> note;  // a sentence
  std::function<void(const EchoFigures&)> echo;
  std::function<void(const MdsPoint&)> point;
};

// Errors: not_found (one of our programs), io; cancelled after SIGINT or SIGTERM.
Result<MdsReport> bench_mds(const MdsBenchOptions& options, const MdsProgress& progress);

}  // namespace pnfs::bench
