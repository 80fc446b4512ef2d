// Proves that scenarios can fail: each of their faults is left out once, each server bug of [planted] is put in once,
// and what a run showed is held against the opposite of each expectation.
#pragma once

#include <string>
#include <vector>

#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

// The scenarios with one fault less, one for each line of [faults] and of [hosts] (there without what ends it). Played,
// each of them must fail.
std::vector<Scenario> with_each_fault_left_out(const std::vector<Scenario>& scenarios);

// The scenarios with a server bug, one for each line of [planted]. Played, each of them must fail, and the bug must
// have acted.
std::vector<Scenario> with_each_bug_planted(const std::vector<Scenario>& scenarios);

// What the outcome of one of those two kinds says about the scenario: nothing when it failed as it must.
std::string survives(const Outcome& outcome);

// Of a scenario that passed: the expectations whose opposite is met as well. Empty: none, as it must be.
std::vector<std::string> expectations_that_cannot_fail(const Outcome& outcome);

}  // namespace pnfs::scenario
