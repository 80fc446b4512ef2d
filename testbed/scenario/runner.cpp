#include "testbed/scenario/runner.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "common/trace/json_line.hpp"
#include "testbed/lab/guest_run.hpp"
#include "testbed/lab/lab.hpp"

namespace pnfs::scenario {

namespace {

namespace fs = std::filesystem;

constexpr uint16_t kPortStep = 20;
constexpr int kPortTries = 50;

std::string make_folder(const std::string& id) {
  std::string pattern = (fs::temp_directory_path() / fmt::format("pnfslab-{}-XXXXXX", id)).string();
  return mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

Result<lab::LabState> start(const Scenario& scenario, const std::string& folder, uint16_t first_port) {
  lab::LabOptions options;
  options.state = folder;
  options.profile = scenario.profile;
  options.data_servers = scenario.data_servers;
  options.lease_seconds = scenario.lease_seconds;
  options.cache = scenario.cache;
  options.quiet = true;
  for (const FaultLine& fault : scenario.faults) options.faults.push_back({fault.node, fault.rule});
  Result<lab::LabState> state = error(Errc::busy, "no free ports");
  for (int i = 0; i < kPortTries; ++i) {
    options.base_port = static_cast<uint16_t>(first_port + i * kPortStep);
    state = lab::start_lab(options);
    if (state || state.error().code != Errc::refused || state.error().reason.find("in use") == std::string::npos) break;
  }
  return state;
}

Result<void> read_traces(const lab::LabState& state, Observed& observed) {
  for (const lab::Server& server : state.servers) {
    std::ifstream in(state.trace_file(server.name));
    for (std::string line; std::getline(in, line);) {
      auto event = trace::parse_json_line(line);
      if (!event) return event.error().with_context(state.trace_file(server.name));
      observed.events.push_back(std::move(*event));
    }
  }
  std::stable_sort(observed.events.begin(), observed.events.end(),
                   [](const auto& a, const auto& b) { return a.ts < b.ts; });
  return {};
}

bool fired(const FaultLine& fault, const Observed& observed) {
  return std::any_of(observed.events.begin(), observed.events.end(), [&](const trace::OwnedEvent& e) {
    return e.node == fault.node && e.fault.find(fault.rule) != std::string::npos;
  });
}

void judge(const Scenario& scenario, const Observed& observed, Outcome& outcome) {
  for (const FaultLine& fault : scenario.faults)
    if (!fired(fault, observed))
      outcome.problems.push_back(fmt::format("the rule '{}' of {} never fired", fault.rule, fault.node));
  for (const Expectation& expectation : scenario.expectations) {
    const std::string seen = unmet(expectation, observed);
    if (seen.empty()) continue;
    outcome.problems.push_back(
        fmt::format("{}:{}: expected '{}': {}", scenario.file, expectation.line, expectation.text, seen));
  }
  outcome.verdict = outcome.problems.empty() ? Verdict::passed : Verdict::failed;
}

// What keeps a scenario from being tried is an error; what it shows is in the outcome.
Result<void> play(const Scenario& scenario, const RunOptions& options, const std::string& folder, Outcome& outcome) {
  auto state = start(scenario, folder, options.base_port);
  if (!state) return state.error();
  kernel::GuestOptions guest = lab::guest_options_for(*state);
  guest.kernel_path = options.kernel_path;
  guest.modules_path = options.modules_path;
  guest.mount_options = scenario.mount_options;
  guest.timeout = std::chrono::seconds(scenario.timeout_seconds);
  guest.command = {"sh", "-c", scenario.script};
  Observed observed;
  auto collect = [&observed](std::string_view text) { observed.output += text; };
  guest.on_output = collect;
  guest.on_error_output = collect;
  auto ran = kernel::run_guest(std::move(guest));
  lab::stop_lab(*state);
  if (!ran) return ran.error();
  using kernel::Outcome;
  if (ran->outcome == Outcome::not_started || ran->outcome == Outcome::interrupted)
    return error(Errc::io, "{}", ran->reason);
  outcome.kernel_release = ran->kernel_release;
  observed.exit_code = ran->exit_code;
  observed.kernel_problems = ran->kernel_problems;
  if (!ran->reason.empty()) observed.output += ran->reason + "\n";
  if (auto read = read_traces(*state, observed); !read) return read;
  judge(scenario, observed, outcome);
  return {};
}

Outcome run_one(const Scenario& scenario, const RunOptions& options) {
  Outcome outcome{.scenario = &scenario};
  if (scenario.has_tag("slow") && !options.slow) {
    outcome.verdict = Verdict::skipped;
    outcome.problems.push_back("slow; run it with --slow");
    return outcome;
  }
  const auto began = std::chrono::steady_clock::now();
  outcome.folder = make_folder(scenario.id);
  auto played = outcome.folder.empty() ? Result<void>(error(Errc::io, "cannot make a folder for the run"))
                                       : play(scenario, options, outcome.folder, outcome);
  if (!played) {
    outcome.verdict = Verdict::not_tested;
    outcome.problems.push_back(played.error().reason);
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (outcome.verdict == Verdict::failed && options.keep) return outcome;
  std::error_code ignored;
  fs::remove_all(outcome.folder, ignored);
  outcome.folder.clear();
  return outcome;
}

}  // namespace

std::vector<Outcome> run_all(const std::vector<Scenario>& scenarios, const RunOptions& options,
                             const std::function<void(const Outcome&)>& done) {
  std::vector<Outcome> outcomes;
  for (const Scenario& scenario : scenarios) {
    outcomes.push_back(run_one(scenario, options));
    done(outcomes.back());
  }
  return outcomes;
}

}  // namespace pnfs::scenario
