// The same scenarios on several kernels: which is red where, and whether that is what is known.
#pragma once

#include <string>
#include <vector>

#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

struct KernelColumn {
  std::string kernel;             // as --kernel takes it
  std::vector<Outcome> outcomes;  // one for each scenario, in the same order in every column
};

// A table for people: a row for each scenario, a column for each kernel; below it, which of them are not as known.
std::string to_matrix(const std::vector<KernelColumn>& columns);

}  // namespace pnfs::scenario
