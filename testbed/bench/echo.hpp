// The least that a server can cost: it sends back what it reads. What a server needs beyond this is its own.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/result.hpp"

namespace pnfs::bench {

struct EchoFigures {
  double operations_per_s = 0;
  double server_us = 0;  // CPU time per record
};

// `records` of `bytes`, `depth` of them under way at a time, over one loopback connection; the server is a thread.
Result<EchoFigures> measure_echo(uint64_t records, unsigned depth, size_t bytes);

}  // namespace pnfs::bench
