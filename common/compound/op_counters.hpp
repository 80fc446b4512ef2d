// What a server has answered since its start, by operation: a few additions for each, no allocation but for the first
// error of a kind. Read by `pnfslab top` and the metrics endpoint.
#pragma once

#include <array>
#include <map>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/nfs/numbers.hpp"
#include "common/nfs/status.hpp"

namespace pnfs::live {
class Metrics;
class Table;
}  // namespace pnfs::live

namespace pnfs::compound {

class OpCounters {
 public:
  // Of the node of this name in this process; a process has few, and they live as long as it does.
  static OpCounters& of(std::string_view node);

  // bytes: of file data, that moved.
  void count(nfs::nfs_opnum4 op, nfs::nfsstat4 status, uint64_t bytes, Duration took) {
    Counter& counter = counters_[static_cast<size_t>(op) < kOps ? static_cast<size_t>(op) : 0];
    ++counter.calls;
    counter.bytes += bytes;
    counter.took += took;
    if (status == nfs::NFS4_OK) return;
    ++counter.errors;
    ++errors_[{op, status}];
  }

  // One row for each operation that was seen, with its errors by status.
  void fill(live::Table& out) const;
  void add_to(live::Metrics& metrics) const;

 private:
  static constexpr size_t kOps = 64;  // the numbers of minor version 1; 0: OP_ILLEGAL
  struct Counter {
    uint64_t calls = 0, errors = 0, bytes = 0;
    Duration took{};
  };
  std::array<Counter, kOps> counters_{};
  std::map<std::pair<nfs::nfs_opnum4, nfs::nfsstat4>, uint64_t> errors_;
};

}  // namespace pnfs::compound
