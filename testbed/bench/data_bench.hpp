// pnfs-ds beside what its work must cost: two data servers on one machine, read through a layout, in turns with
// NFS-Ganesha (whose file lies in memory, without a second hop) reading the same; for large reads also what libiscsi
// alone needs to receive the bytes and a bare TCP server to send them. And how often data servers ask the metadata
// server while a file is streamed. All over loopback, all data in memory. Blocks for the whole measurement.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::bench {

struct DataBenchOptions {
  std::string ds_program;
  std::string mds_program;
  std::string target_program;
  std::string folder = "/dev/shm";   // in memory, so that no disk is measured
  uint16_t base_port = 13300;        // and the four above it
  uint64_t file_bytes = 256u << 20;  // that is read; a multiple of 1 MiB
  uint64_t stream_bytes = 1u << 30;  // written in order to count control calls; a multiple of 1 MiB
  uint64_t small_reads = 20000;      // of 4 KiB, in one round
  uint64_t large_reads = 1024;       // of 1 MiB, in one round
  unsigned rounds = 3;               // each server's turns; the median counts
};

struct DataFigures {
  double operations_per_s = 0;
  double mib_per_s = 0;
  double server_us = 0;  // CPU time per operation at the data servers, or at Ganesha
  double target_us = 0;  // at pnfs-target
  double client_us = 0;  // and at the client
};

struct DataPoint {
  uint32_t bytes = 0;
  unsigned depth = 0;
  bool random = false;
  DataFigures ours;
  std::optional<DataFigures> ganesha;
  double ganesha_goal = 1;  // at most so much of Ganesha's CPU time
};

// For 1 MiB reads, CPU nanoseconds per byte.
struct DataFloor {
  double received = 0;  // by libiscsi (iscsi-perf)
  double sent = 0;      // by a bare TCP server
  double ours = 0;
  static constexpr double kGoal = 1.25;  // ours, of the other two together
  double ratio() const { return ours / (received + sent); }
};

// Calls of the data servers to the metadata server, without those that keep a lease.
struct ControlCalls {
  uint64_t written = 0;     // while the stream was written and committed
  uint64_t read_again = 0;  // reading it under the same open
  uint64_t new_open = 0;    // reading it under a new one
  static constexpr uint64_t kWrittenGoal = 32, kReadAgainGoal = 0, kNewOpenGoal = 2;
};

struct DataReport {
  std::vector<DataPoint> points;
  std::string without_ganesha;  // why it was not measured; empty: it was
  std::optional<DataFloor> floor;
  std::string without_floor;
  ControlCalls calls;
};

struct DataProgress {
  std::function<void(const std::string&)> note;  // a sentence
  std::function<void(const DataPoint&)> point;
};

// Errors: not_found (one of our programs), io; cancelled after SIGINT or SIGTERM.
Result<DataReport> bench_data(const DataBenchOptions& options, const DataProgress& progress);

}  // namespace pnfs::bench
