// A scenario with [steps], played in a cluster within this process.
#pragma once

#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

// The trace is written into `folder`; "": nowhere. An error is what keeps the scenario from being tried.
Result<Observed> play_in_cluster(const Scenario& scenario, uint64_t seed, const std::string& folder);

}  // namespace pnfs::scenario
