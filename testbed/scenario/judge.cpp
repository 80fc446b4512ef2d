#include <algorithm>

#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

bool has_acted(std::string_view rule, const Observed& observed) {
  const std::string end = fmt::format(": {}", rule);
  return std::any_of(observed.events.begin(), observed.events.end(), [&](const trace::OwnedEvent& e) {
    return e.kind == trace::Kind::fault && e.fault.ends_with(end);
  });
}

std::vector<std::string> judge(const Scenario& scenario, const Observed& observed) {
  std::vector<std::string> problems;
  for (const FaultLine& fault : scenario.faults)
    if (!has_acted(fault.rule, observed))
      problems.push_back(fmt::format("{}:{}: the rule '{}' never acted", scenario.file, fault.line, fault.rule));
  for (const unsigned line : observed.host_faults_never)
    problems.push_back(fmt::format("{}:{}: no client printed what this waits for", scenario.file, line));
  for (const Expectation& expectation : scenario.expectations) {
    if (!is_visible(expectation, observed) || !applies(expectation, observed)) continue;
    const std::string seen = unmet(expectation, observed);
    if (seen.empty()) continue;
    problems.push_back(
        fmt::format("{}:{}: expected '{}': {}", scenario.file, expectation.line, expectation.text, seen));
  }
  return problems;
}

}  // namespace pnfs::scenario
