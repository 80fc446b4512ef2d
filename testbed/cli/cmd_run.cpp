// pnfslab run: plays scenarios and judges them.
#include <fstream>

#include "testbed/cli/command.hpp"
#include "testbed/scenario/runner.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  std::vector<std::string> paths;
  scenario::RunOptions run;
  std::string junit;
  bool list = false;
};

int list_all(const std::vector<scenario::Scenario>& scenarios) {
  for (const auto& s : scenarios) fmt::print("{:<16} {:<9} {}\n", s.id, s.has_tag("slow") ? "slow" : "", s.title);
  return 0;
}

int play(const Options& options) {
  const auto scenarios = scenario::load_all(options.paths);
  if (!scenarios) return report("run", scenarios.error());
  if (options.list) return list_all(*scenarios);
  fmt::print("TAP version 13\n1..{}\n", scenarios->size());
  size_t number = 0;
  const auto outcomes = scenario::run_all(*scenarios, options.run, [&number](const scenario::Outcome& outcome) {
    fmt::print("{}", scenario::to_tap(outcome, ++number));
    std::fflush(stdout);
  });
  if (!options.junit.empty()) {
    std::ofstream out(options.junit);
    out << scenario::to_junit(outcomes);
    if (!out.flush())
      return report("run", error(Errc::io, "cannot write '{}': {}", options.junit, std::strerror(errno)));
  }
  return scenario::exit_code(outcomes);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("run",
                                 "Play scenarios against a kernel and judge them; prints TAP\n"
                                 "Example: pnfslab run testbed/scenarios/badiomode.scn --junit result.xml\n"
                                 "Exit code: 0 all passed, 1 one failed, 125 one could not be tested");
  auto options = std::make_shared<Options>();
  sub->add_option("scenarios", options->paths, "Scenario files or folders")->required();
  sub->add_option("--kernel", options->run.kernel_path, "A User-Mode Linux kernel (default: the installed one)");
  sub->add_option("--modules", options->run.modules_path, "Its modules folder");
  sub->add_option("--junit", options->junit, "Write the result to this file as JUnit XML too");
  sub->add_flag("--slow", options->run.slow, "Also those that must wait for long timers");
  sub->add_flag("--keep", options->run.keep, "Keep logs and traces of what failed");
  sub->add_flag("--list", options->list, "Only list them");
  sub->callback([options, &action] { action = [options] { return play(*options); }; });
}

}  // namespace pnfs::cli
