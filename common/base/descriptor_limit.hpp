// A process that serves many connections needs many file descriptors; what it gets at its start is often 1024.
#pragma once

#include <cstdint>

namespace pnfs {

// Raises the soft limit to the hard one. Returns how many descriptors this process may have.
uint64_t raise_descriptor_limit();

}  // namespace pnfs
