// pnfslab run: plays scenarios and judges them.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "testbed/cli/command.hpp"
#include "testbed/kernel/catalog.hpp"
#include "testbed/scenario/matrix.hpp"
#include "testbed/scenario/self_test.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  std::vector<std::string> paths;
  scenario::RunOptions run;
  bool here = false;
  std::string state = lab::default_state_folder();
  std::string junit;
  bool list = false;
  bool self_test = false;
  bool all_kernels = false;
};

int list_all(const std::vector<scenario::Scenario>& scenarios) {
  for (const auto& s : scenarios) fmt::print("{:<16} {:<5} {}\n", s.id, s.has_tag("slow") ? "slow" : "", s.title);
  return 0;
}

// One line on the terminal that says what runs, wiped before each line of TAP.
class Terminal {
 public:
  explicit Terminal(size_t total) : total_(total) {}

  void began(const std::string& id) {
    running_ = id;
    draw();
  }
  void done(const scenario::Outcome& outcome) {
    wipe();
    fmt::print("{}", scenario::to_tap(outcome, ++finished_));
    std::fflush(stdout);
    if (outcome.verdict == scenario::Verdict::failed) ++failed_;
    if (finished_ < total_) draw();
  }

 private:
  void draw() const {
    if (!shown_) return;
    wipe();
    fmt::print(stderr, "[{}/{}] {} failed, running {}", finished_, total_, failed_, running_);
    std::fflush(stderr);
  }
  void wipe() const {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }

  const bool shown_ = ::isatty(STDERR_FILENO) != 0;
  size_t total_;
  size_t finished_ = 0, failed_ = 0;
  std::string running_;
};

// A scenario with one fault less, or with a bug, passes when it fails; one that passed must not pass with an
// expectation turned round.
scenario::Outcome judged_inverted(scenario::Outcome outcome, bool must_fail) {
  using scenario::Verdict;
  if (must_fail && (outcome.verdict == Verdict::failed || outcome.verdict == Verdict::passed)) {
    const std::string problem = scenario::survives(outcome);
    std::error_code ignored;
    std::filesystem::remove_all(outcome.folder, ignored);
    outcome.folder.clear();
    outcome.problems.clear();
    if (!problem.empty()) outcome.problems.push_back(problem);
    outcome.verdict = problem.empty() ? Verdict::passed : Verdict::failed;
  } else if (outcome.verdict == Verdict::passed) {
    outcome.problems = scenario::expectations_that_cannot_fail(outcome);
    if (!outcome.problems.empty()) outcome.verdict = Verdict::failed;
  }
  return outcome;
}

// First the scenarios themselves, then each with one of its faults left out, then each with a server bug.
int self_test(const Options& options, std::vector<scenario::Scenario> scenarios) {
  const size_t whole = scenarios.size();
  auto wrong = scenario::with_each_fault_left_out(scenarios);
  for (scenario::Scenario& with : scenario::with_each_bug_planted(scenarios)) wrong.push_back(std::move(with));
  for (scenario::Scenario& each : wrong) scenarios.push_back(std::move(each));
  fmt::print("TAP version 13\n1..{}\n", scenarios.size());
  Terminal terminal(scenarios.size());
  std::vector<scenario::Outcome> judged;
  scenario::Progress progress;
  progress.began = [&](const scenario::Scenario& s) { terminal.began(s.id); };
  progress.done = [&](const scenario::Outcome& outcome) {
    judged.push_back(judged_inverted(outcome, judged.size() >= whole));
    terminal.done(judged.back());
  };
  (void)scenario::run_all(scenarios, options.run, progress);
  return scenario::exit_code(judged);
}

// Each scenario on each kernel that is here.
int on_all_kernels(const Options& options, const std::vector<scenario::Scenario>& scenarios) {
  std::vector<kernel::KnownKernel> kernels = kernel::list_kernels();
  std::erase_if(kernels, [](const kernel::KnownKernel& k) { return k.path.empty(); });
  fmt::print("TAP version 13\n1..{}\n", kernels.size() * scenarios.size());
  Terminal terminal(kernels.size() * scenarios.size());
  std::vector<scenario::KernelColumn> columns;
  std::vector<scenario::Outcome> all;
  for (const kernel::KnownKernel& each : kernels) {
    fmt::print("# on {}: Linux {}\n", each.name, each.release);
    std::fflush(stdout);
    scenario::RunOptions run = options.run;
    run.kernel_path = each.name;
    scenario::Progress progress;
    progress.began = [&](const scenario::Scenario& s) { terminal.began(s.id + " on " + each.name); };
    progress.done = [&](const scenario::Outcome& outcome) { terminal.done(outcome); };
    columns.push_back({each.name, scenario::run_all(scenarios, run, progress)});
    all.insert(all.end(), columns.back().outcomes.begin(), columns.back().outcomes.end());
  }
  fmt::print("\n{}", scenario::to_matrix(columns));
  return scenario::exit_code(all);
}

int play(const Options& options) {
  const auto scenarios = scenario::load_all(options.paths);
  if (!scenarios) return report("run", scenarios.error());
  if (options.list) return list_all(*scenarios);
  if (options.self_test) return self_test(options, *scenarios);
  if (!options.run.capture.empty()) {
    std::error_code ec;
    std::filesystem::create_directories(options.run.capture, ec);
    if (ec) return report("run", error(Errc::invalid, "--capture {}: {}", options.run.capture, ec.message()));
  }
  if (options.all_kernels) return on_all_kernels(options, *scenarios);
  fmt::print("TAP version 13\n1..{}\n", scenarios->size());
  std::fflush(stdout);
  Terminal terminal(scenarios->size());
  scenario::Progress progress;
  progress.began = [&](const scenario::Scenario& s) { terminal.began(s.id); };
  progress.done = [&](const scenario::Outcome& outcome) { terminal.done(outcome); };
  const auto outcomes = scenario::run_all(*scenarios, options.run, progress);
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
                                 "Example: pnfslab run testbed/scenarios --junit result.xml\n"
                                 "Exit code: 0 all passed, 1 one failed, 125 one could not be tested");
  auto options = std::make_shared<Options>();
  options->run.jobs = std::max(2u, std::thread::hardware_concurrency());
  sub->add_option("scenarios", options->paths, "Scenario files, folders, or ids of scenarios that came with pnfslab")
      ->required();
  sub->add_option("--kernel", options->run.kernel_path,
                  "A kernel that `pnfslab kernel list` shows, or the path of a bzImage or a User-Mode Linux");
  sub->add_option("--modules", options->run.modules_path, "Its modules folder; a build tree is one");
  sub->add_option(
      "--client", options->run.client_command,
      "Instead of a kernel: a command that is the client, run with the script as its input and PNFSLAB_* in "
      "its environment ('ssh vm sh -s'); or 'manual': print what to run and ask how it ended");
  sub->add_option("--client-release", options->run.client_release, "The Linux release of that client, if it is one");
  sub->add_option("--address", options->run.address, "Where the servers listen, for a client on another machine")
      ->check(CLI::ValidIPV4)
      ->capture_default_str();
  sub->add_option("--jobs", options->run.jobs, "How many at once")->check(CLI::Range(1u, 64u))->capture_default_str();
  sub->add_option("--base-port", options->run.base_port, "The first port; scenarios take free ones from there on")
      ->check(CLI::Range(1024, 60000))
      ->capture_default_str();
  sub->add_option("--seed", options->run.seed, "Where the chances of fault rules come from");
  sub->add_option("--junit", options->junit, "Write the result to this file as JUnit XML too");
  sub->add_flag("--here", options->here, "Not in labs of their own but in the lab that is up, one after the other");
  sub->add_option("--state", options->state, "That lab's state folder")->capture_default_str();
  add_guest_network(*sub, options->run.network);
  sub->add_flag("--hosts", options->run.hosts, "Each server a machine of its own, as with up --topology hosts");
  sub->add_option("--capture", options->run.capture,
                  "Folder (made when missing) for the packets and the trace of each: ID.pcapng, ID.jsonl");
  sub->add_flag("--slow", options->run.slow, "Also those that must wait for long timers");
  sub->add_flag("--keep", options->run.keep, "Keep logs and traces also of what passed");
  sub->add_flag(
      "--self-test", options->self_test,
      "Prove that they can fail: leave out each fault once, plant each server bug, turn each expectation round");
  sub->add_flag("--all-kernels", options->all_kernels,
                "On every kernel that `pnfslab kernel list` finds here, with a table of scenario x kernel at the end");
  sub->add_flag("--list", options->list, "Only list them");
  sub->callback([options, &action] {
    if (options->here) options->run.running_lab = options->state;
    if (options->run.client_command == scenario::kManualClient) options->run.jobs = 1;
    options->run.packaged_kernel =
        options->run.client_command.empty() && options->run.kernel_path.find('/') == std::string::npos;
    action = [options] { return play(*options); };
  });
}

}  // namespace pnfs::cli
