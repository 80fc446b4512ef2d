#include "testbed/scenario/self_test.hpp"

#include <algorithm>

namespace pnfs::scenario {

namespace {

// No fault but the end of one.
bool is_end(const HostFault& fault) {
  using Verb = lab::NetFault::Verb;
  return fault.fault.verb == Verb::heal || fault.fault.verb == Verb::resume || fault.fault.verb == Verb::start;
}

Scenario without(const Scenario& scenario, const HostFault& left_out) {
  Scenario less = scenario;
  less.id = fmt::format("{}-without-line-{}", scenario.id, left_out.line);
  less.title = fmt::format("fails without '{}'", left_out.text);
  std::erase_if(less.host_faults, [&](const HostFault& each) {
    return each.line == left_out.line || (is_end(each) && each.fault.host == left_out.fault.host);
  });
  return less;
}

}  // namespace

std::vector<Scenario> with_each_fault_left_out(const std::vector<Scenario>& scenarios) {
  std::vector<Scenario> out;
  for (const Scenario& scenario : scenarios) {
    for (size_t i = 0; i < scenario.faults.size(); ++i) {
      Scenario less = scenario;
      less.id = fmt::format("{}-without-{}", scenario.id, i + 1);
      less.title = fmt::format("fails without '{}'", scenario.faults[i].rule);
      less.faults.erase(less.faults.begin() + static_cast<std::ptrdiff_t>(i));
      out.push_back(std::move(less));
    }
    for (const HostFault& fault : scenario.host_faults)
      if (!is_end(fault)) out.push_back(without(scenario, fault));
  }
  return out;
}

std::vector<Scenario> with_each_bug_planted(const std::vector<Scenario>& scenarios) {
  std::vector<Scenario> out;
  for (const Scenario& scenario : scenarios) {
    for (size_t i = 0; i < scenario.planted.size(); ++i) {
      Scenario with = scenario;
      with.id = fmt::format("{}-with-{}", scenario.id, i + 1);
      with.title = fmt::format("fails with '{}'", scenario.planted[i].rule);
      with.bug_planted = scenario.planted[i].rule;
      out.push_back(std::move(with));
    }
  }
  return out;
}

std::string survives(const Outcome& outcome) {
  const std::string& bug = outcome.scenario->bug_planted;
  if (outcome.verdict == Verdict::passed)
    return bug.empty() ? "it passes all the same" : fmt::format("it does not notice '{}'", bug);
  if (outcome.verdict == Verdict::failed && !bug.empty() && !has_acted(bug, outcome.observed))
    return fmt::format("the planted bug '{}' never acted", bug);
  return "";
}

std::vector<std::string> expectations_that_cannot_fail(const Outcome& outcome) {
  std::vector<std::string> problems;
  for (const Expectation& expectation : outcome.scenario->expectations) {
    if (!is_visible(expectation, outcome.observed) || !applies(expectation, outcome.observed)) continue;
    if (!unmet(inverted(expectation), outcome.observed).empty()) continue;
    problems.push_back(fmt::format("{}:{}: '{}' and its opposite are both met", outcome.scenario->file,
                                   expectation.line, expectation.text));
  }
  return problems;
}

}  // namespace pnfs::scenario
