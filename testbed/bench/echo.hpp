// The least that a server can cost: for each request that it reads it sends a reply from memory. What a server needs
// beyond this is its own.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/result.hpp"

namespace pnfs::bench {

struct EchoFigures {
  double operations_per_s = 0;
  double server_us = 0;  // CPU time per request
};

struct EchoOptions {
  uint64_t requests = 0;
  unsigned depth = 1;  // under way at a time
  size_t request_bytes = 0;
  size_t reply_bytes = 0;
};
// Over one loopback connection; the server is a thread.
Result<EchoFigures> measure_echo(const EchoOptions& options);

}  // namespace pnfs::bench
