// The captures of several nodes as one file: an interface for each node, packets by time, each packet once, and names
// for the addresses.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::capture {

struct Merged {
  uint64_t packets = 0;
  uint64_t comments = 0;
};

// A connection between two of the nodes is in both files: what the accepting side wrote is taken. An address that is one
// node's own alone gets its name, an address that several share "servers", one that only ever connects "client1" and
// so on; loopback addresses get none. Errors: io, corrupt.
Result<Merged> merge(const std::vector<std::string>& from, const std::string& to);

}  // namespace pnfs::capture
