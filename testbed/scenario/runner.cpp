#include "testbed/scenario/runner.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "testbed/lab/interrupt.hpp"
#include "testbed/report/page.hpp"
#include "testbed/scenario/play.hpp"

namespace pnfs::scenario {

namespace {

namespace fs = std::filesystem;

std::string make_folder(const std::string& id) {
  std::string pattern = (fs::temp_directory_path() / fmt::format("pnfslab-{}-XXXXXX", id)).string();
  return mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

// The ladder of what is kept, for whoever looks into it.
void draw(const Scenario& scenario, const Outcome& outcome) {
  if (outcome.observed.events.empty()) return;
  const auto run = report::make_run(outcome.observed.events, {.title = scenario.id + ": " + scenario.title});
  std::ofstream(outcome.folder + "/report.html", std::ios::binary) << report::to_page(run);
}

bool all_acted(const Scenario& scenario, const Observed& observed) {
  return std::ranges::all_of(scenario.faults, [&](const FaultLine& f) { return has_acted(f.rule, observed); });
}

// What [kernels] says of the kernel that ran, against what it did.
void hold_against_known(const Scenario& scenario, Outcome& outcome) {
  const auto known = scenario.known_red(outcome.kernel_release);
  if (!known || !*known) return;
  if (outcome.verdict == Verdict::failed) {
    // Red for another reason (a mount that failed, say) is not what is known.
    if (all_acted(scenario, outcome.observed)) outcome.verdict = Verdict::known_bad;
  } else if (outcome.verdict == Verdict::passed) {
    outcome.verdict = Verdict::failed;
    outcome.passed_as_red = true;
    outcome.problems.push_back(
        fmt::format("{}: it passes on {}, of which [kernels] says red", scenario.file, outcome.kernel_release));
  }
}

Outcome run_one(const Scenario& scenario, const RunOptions& options, Stage& stage) {
  Outcome outcome{.scenario = &scenario};
  if (scenario.has_tag("slow") && !options.slow) {
    outcome.verdict = Verdict::skipped;
    outcome.problems.emplace_back("slow; run it with --slow");
    return outcome;
  }
  const auto began = std::chrono::steady_clock::now();
  outcome.folder = make_folder(scenario.id);
  Result<Observed> played = error(Errc::io, "cannot make a folder for the run");
  if (!outcome.folder.empty()) {
    played = options.running_lab.empty() ? play(scenario, options, outcome.folder, stage)
                                         : play_here(scenario, options, outcome.folder);
  }
  if (played) {
    outcome.observed = std::move(*played);
    outcome.kernel_release = outcome.observed.kernel_release;
    outcome.problems = judge(scenario, outcome.observed);
    for (const Expectation& e : scenario.expectations)
      if (!is_visible(e, outcome.observed)) outcome.not_judged.push_back(e.text);
    outcome.verdict = outcome.problems.empty() ? Verdict::passed : Verdict::failed;
    if (options.packaged_kernel) hold_against_known(scenario, outcome);
    if (!outcome.kernel_release.empty() && parse_version(outcome.kernel_release) < scenario.since_kernel) {
      outcome.verdict = Verdict::skipped;
      outcome.problems = {fmt::format("it is not about a kernel as old as {}", outcome.kernel_release)};
    }
  } else {
    // What a lab that is up cannot show. (Of a kernel the same word means that it lacks an option: not tested.)
    if (played.error().code == Errc::unsupported && !options.running_lab.empty()) outcome.verdict = Verdict::skipped;
    outcome.problems.push_back(played.error().reason);
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::error_code ignored;
  if (options.keep || outcome.verdict == Verdict::failed) {
    fs::remove(outcome.folder + "/lun.img", ignored);
    draw(scenario, outcome);
    return outcome;
  }
  fs::remove_all(outcome.folder, ignored);
  outcome.folder.clear();
  return outcome;
}

class Run {
 public:
  Run(const std::vector<Scenario>& scenarios, const RunOptions& options, const Progress& progress)
      : scenarios_(scenarios), options_(options), progress_(progress), stage_(options.base_port) {
    outcomes_.resize(scenarios.size());
    finished_.resize(scenarios.size());
  }

  std::vector<Outcome> run() {
    const lab::InterruptGuard guard;
    const size_t most = options_.running_lab.empty() ? options_.jobs : 1;
    const size_t jobs = std::clamp<size_t>(most, 1, std::max<size_t>(1, scenarios_.size()));
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < jobs; ++i) workers.emplace_back([this] { work(); });
    workers.clear();
    return std::move(outcomes_);
  }

 private:
  void work() {
    for (;;) {
      const size_t i = next_++;
      if (i >= scenarios_.size()) return;
      Outcome outcome{.scenario = &scenarios_[i]};
      outcome.problems.emplace_back("interrupted");
      if (!lab::interrupted()) {
        tell_began(scenarios_[i]);
        outcome = run_one(scenarios_[i], options_, stage_);
      }
      tell_done(i, std::move(outcome));
    }
  }

  void tell_began(const Scenario& scenario) {
    const std::lock_guard lock(mutex_);
    if (progress_.began) progress_.began(scenario);
  }

  void tell_done(size_t i, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_[i] = std::move(outcome);
    finished_[i] = true;
    for (; told_ < finished_.size() && finished_[told_]; ++told_)
      if (progress_.done) progress_.done(outcomes_[told_]);
  }

  const std::vector<Scenario>& scenarios_;
  const RunOptions& options_;
  const Progress& progress_;
  Stage stage_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::vector<Outcome> outcomes_;
  std::vector<bool> finished_;
  size_t told_ = 0;
};

}  // namespace

std::vector<Outcome> run_all(const std::vector<Scenario>& scenarios, const RunOptions& options,
                             const Progress& progress) {
  return Run(scenarios, options, progress).run();
}

}  // namespace pnfs::scenario
