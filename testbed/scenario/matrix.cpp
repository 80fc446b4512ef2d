#include "testbed/scenario/matrix.hpp"

#include <algorithm>

namespace pnfs::scenario {

namespace {

// Capital letters where it is not what is known of this kernel.
std::string cell(const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::known_bad:
      return "red";
    case Verdict::failed:  // green although known as red, or red although not, or red for another reason than is known
      return outcome.passed_as_red ? "GREEN!" : "RED!";
    case Verdict::passed:
      return "green";
    case Verdict::skipped:
      return "-";
    case Verdict::not_tested:
      return "?";
  }
  return "";
}

// A kernel that never came up has no release.
std::string head(const KernelColumn& column) {
  for (const Outcome& outcome : column.outcomes)
    if (!outcome.kernel_release.empty()) return outcome.kernel_release;
  return column.kernel;
}

// What the cells mean, or which of them are not what was known, each with the first reason.
std::string below(const std::vector<KernelColumn>& columns) {
  std::string wrong;
  for (const KernelColumn& column : columns) {
    for (const Outcome& outcome : column.outcomes) {
      if (outcome.verdict != Verdict::failed && outcome.verdict != Verdict::not_tested) continue;
      const std::string problem = outcome.problems.empty() ? "" : outcome.problems.front();
      wrong += fmt::format("{} on {} ({}): {}\n", outcome.scenario->id, head(column), cell(outcome),
                           problem.substr(0, problem.find('\n')));
    }
  }
  if (!wrong.empty()) return "not as known:\n" + wrong;
  return "all as known (red: fails, as known of this kernel; green: passes; -: not for it)\n";
}

}  // namespace

std::string to_matrix(const std::vector<KernelColumn>& columns) {
  if (columns.empty()) return "";
  constexpr size_t kIdWidth = 12, kGap = 2;
  std::string text = fmt::format("{:<{}}", "", kIdWidth);
  std::vector<size_t> widths;
  for (const KernelColumn& column : columns) {
    widths.push_back(std::max<size_t>(head(column).size(), 6) + kGap);
    text += fmt::format("{:<{}}", head(column), widths.back());
  }
  text += "bug\n";
  for (size_t row = 0; row < columns.front().outcomes.size(); ++row) {
    const Scenario& scenario = *columns.front().outcomes[row].scenario;
    text += fmt::format("{:<{}}", scenario.id, kIdWidth);
    for (size_t i = 0; i < columns.size(); ++i)
      text += fmt::format("{:<{}}", cell(columns[i].outcomes[row]), widths[i]);
    text += (scenario.bug.empty() ? scenario.title : scenario.bug) + "\n";
  }
  return text + "\n" + below(columns);
}

}  // namespace pnfs::scenario
