// Outcomes as TAP and JUnit.
#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

namespace {

std::string indented(std::string_view text, std::string_view by) {
  std::string out(by);
  for (const char c : text) {
    out += c;
    if (c == '\n') out += by;
  }
  return out;
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

}  // namespace

std::string to_tap(const Outcome& outcome, size_t number) {
  const Scenario& s = *outcome.scenario;
  const bool good = outcome.verdict == Verdict::passed || outcome.verdict == Verdict::skipped;
  std::string line =
      fmt::format("{} {} - {}: {} ({:.1f} s)", good ? "ok" : "not ok", number, s.id, s.title, outcome.seconds);
  if (outcome.verdict == Verdict::skipped) line += " # SKIP " + outcome.problems.front();
  if (outcome.verdict == Verdict::not_tested) line += "\n# could not be tested";
  line += '\n';
  if (!good)
    for (const std::string& problem : outcome.problems) line += indented(problem, "# ") + '\n';
  if (!outcome.folder.empty()) line += fmt::format("# logs and traces: {}\n", outcome.folder);
  return line;
}

std::string to_junit(const std::vector<Outcome>& outcomes) {
  size_t failures = 0, errors = 0, skipped = 0;
  std::string cases;
  for (const Outcome& outcome : outcomes) {
    std::string inner;
    std::string problems;
    for (const std::string& problem : outcome.problems) problems += problem + '\n';
    if (outcome.verdict == Verdict::failed) {
      ++failures;
      inner = fmt::format("<failure message=\"{}\">{}</failure>", xml(outcome.problems.front()), xml(problems));
    } else if (outcome.verdict == Verdict::not_tested) {
      ++errors;
      inner = fmt::format("<error message=\"could not be tested\">{}</error>", xml(problems));
    } else if (outcome.verdict == Verdict::skipped) {
      ++skipped;
      inner = fmt::format("<skipped message=\"{}\"/>", xml(outcome.problems.front()));
    }
    cases += fmt::format("  <testcase classname=\"pnfslab\" name=\"{}\" time=\"{:.3f}\">{}</testcase>\n",
                         xml(outcome.scenario->id), outcome.seconds, inner);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"pnfslab\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" skipped=\"{}\">\n{}</testsuite>\n",
      outcomes.size(), failures, errors, skipped, cases);
}

int exit_code(const std::vector<Outcome>& outcomes) {
  bool untested = false;
  for (const Outcome& outcome : outcomes) {
    if (outcome.verdict == Verdict::failed) return 1;
    untested |= outcome.verdict == Verdict::not_tested;
  }
  return untested ? 125 : 0;
}

}  // namespace pnfs::scenario
