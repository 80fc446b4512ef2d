// Outcomes as TAP and JUnit.
#include "common/base/markup.hpp"
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

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::known_bad:
      return "known bad";
    case Verdict::skipped:
      return "skipped";
    case Verdict::not_tested:
      return "not tested";
  }
  return "";
}

std::string to_tap(const Outcome& outcome, size_t number) {
  const Scenario& s = *outcome.scenario;
  const bool good = outcome.verdict == Verdict::passed || outcome.verdict == Verdict::skipped;
  std::string line =
      fmt::format("{} {} - {}: {} ({:.1f} s)", good ? "ok" : "not ok", number, s.id, s.title, outcome.seconds);
  if (outcome.verdict == Verdict::skipped) line += " # SKIP " + outcome.problems.front();
  if (outcome.verdict == Verdict::known_bad)
    line += fmt::format(
        " # TO" /* TAP's word for a failure that is known */ "DO known of Linux {}: {}", outcome.kernel_release, s.bug);
  if (outcome.verdict == Verdict::not_tested) line += "\n# could not be tested";
  line += '\n';
  if (!good)
    for (const std::string& problem : outcome.problems) line += indented(problem, "# ") + '\n';
  for (const std::string& text : outcome.not_judged) line += fmt::format("# not seen from here: {}\n", text);
  if (!outcome.folder.empty()) {
    line += fmt::format("# logs and traces: {}\n", outcome.folder);
    if (!outcome.observed.from_outside) line += fmt::format("# packets: {}/log/client1.pcap\n", outcome.folder);
  }
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
      inner = fmt::format("<failure message=\"{}\">{}</failure>", escape_markup(outcome.problems.front()), escape_markup(problems));
    } else if (outcome.verdict == Verdict::not_tested) {
      ++errors;
      inner = fmt::format("<error message=\"could not be tested\">{}</error>", escape_markup(problems));
    } else if (outcome.verdict == Verdict::skipped || outcome.verdict == Verdict::known_bad) {
      ++skipped;
      inner = fmt::format("<skipped message=\"{}{}\"/>", outcome.verdict == Verdict::known_bad ? "known bug: " : "",
                          escape_markup(outcome.problems.front()));
    }
    cases += fmt::format("  <testcase classname=\"pnfslab\" name=\"{}\" time=\"{:.3f}\">{}</testcase>\n",
                         escape_markup(outcome.scenario->id), outcome.seconds, inner);
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
