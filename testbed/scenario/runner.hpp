// Runs scenarios, each in a lab of its own with a kernel client, and judges them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "testbed/scenario/scenario.hpp"

namespace pnfs::scenario {

struct RunOptions {
  std::string kernel_path, modules_path;  // empty: the installed User-Mode Linux
  bool slow = false;                      // also those tagged slow
  bool keep = false;                      // keep the state folders of those that failed
  uint16_t base_port = 14049;             // of the first; each scenario takes the next free ports
};

enum class Verdict { passed, failed, skipped, not_tested };

struct Outcome {
  const Scenario* scenario = nullptr;
  Verdict verdict = Verdict::not_tested;
  double seconds = 0;
  std::string kernel_release;
  // failed: one text per unmet expectation or unfired rule; not_tested and skipped: the reason.
  std::vector<std::string> problems;
  std::string folder;  // logs and traces, when kept
};

// Calls `done` after each, in order.
std::vector<Outcome> run_all(const std::vector<Scenario>& scenarios, const RunOptions& options,
                             const std::function<void(const Outcome&)>& done);

// One line of TAP (and its diagnosis) for an outcome; number counts from 1.
std::string to_tap(const Outcome& outcome, size_t number);
std::string to_junit(const std::vector<Outcome>& outcomes);
// 0 all passed, 1 at least one failed, 125 none failed but one could not be tested (git bisect's "skip").
int exit_code(const std::vector<Outcome>& outcomes);

}  // namespace pnfs::scenario
