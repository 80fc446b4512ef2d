// A scenario in a lab that runs already: that of docker-compose.yml, or one that `up` started.
#include <algorithm>
#include <deque>
#include <thread>

#include "common/trace/follow.hpp"
#include "testbed/lab/fault_rules.hpp"
#include "testbed/scenario/play.hpp"

namespace pnfs::scenario {

namespace {

// A trace reaches its file 50 ms after the event at the latest (common/trace/file_sink.hpp).
constexpr std::chrono::milliseconds kTracesWritten{300};

// What the lab cannot be changed into.
Result<void> check_fits(const Scenario& scenario, const lab::LabState& state) {
  const auto no = [](std::string why) { return error(Errc::unsupported, "this lab does not fit: {}", why); };
  if (scenario.profile != state.profile)
    return no(fmt::format("its profile is {}, the scenario's {}", state.profile, scenario.profile));
  if (scenario.data_servers > state.data_servers())
    return no(
        fmt::format("it has {} data servers, the scenario needs {}", state.data_servers(), scenario.data_servers));
  if (!scenario.host_faults.empty() && !state.containers && !state.network) return no("its servers are not hosts");
  return {};
}

// The traces of all servers from now on.
class Traces {
 public:
  explicit Traces(const lab::LabState& state) {
    for (const lab::Server& server : state.servers) files_.emplace_back(state.trace_file(server.name));
  }

  Result<std::vector<trace::OwnedEvent>> news() {
    std::this_thread::sleep_for(kTracesWritten);
    std::vector<trace::OwnedEvent> events;
    for (trace::Follower& file : files_)
      if (auto polled = file.poll([&](const trace::OwnedEvent& event) { events.push_back(event); }); !polled)
        return polled.error();
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.ts < b.ts; });
    return events;
  }

 private:
  std::deque<trace::Follower> files_;
};

// A client that removes what the scenario before has left.
Result<void> empty_export(const RunOptions& options, const lab::LabState& state) {
  auto guest = place_client(options, state, 1);
  if (!guest) return guest.error();
  guest->kernel_path = options.kernel_path;
  guest->modules_path = options.modules_path;
  guest->command = {"sh", "-c", "find /mnt/pnfs -mindepth 1 -delete"};
  const auto ran = kernel::run_guest(std::move(*guest));
  if (!ran) return ran.error();
  if (ran->exit_code != 0) return error(Errc::io, "emptying the export failed: {}", ran->reason);
  return {};
}

Result<void> run_with_faults(const Scenario& scenario, const RunOptions& options, lab::LabState& state,
                             const std::string& folder, Observed& observed) {
  for (const FaultLine& fault : scenario.faults)
    if (auto added = lab::add_rule(state, fault.rule); !added) return added.error();
  HostFaultPlayer host_faults(state, scenario.host_faults);
  auto ran = host_faults.start();
  if (ran) ran = run_clients(scenario, options, state, host_faults, folder, observed);
  if (auto done = host_faults.finish(); ran && !done) ran = done;
  observed.host_faults_never = host_faults.never_acted();
  return ran;
}

}  // namespace

Result<Observed> play_here(const Scenario& scenario, const RunOptions& options, const std::string& folder) {
  auto state = lab::load_state(options.running_lab);
  if (!state) return state.error();
  if (auto fits = check_fits(scenario, *state); !fits) return fits.error();
  if (auto cleared = lab::clear_rules(*state); !cleared) return cleared.error();
  if (auto emptied = empty_export(options, *state); !emptied) return emptied.error();
  Traces traces(*state);
  if (auto before = traces.news(); !before) return before.error();
  Observed observed;
  auto ran = run_with_faults(scenario, options, *state, folder, observed);
  if (auto cleared = lab::clear_rules(*state); ran && !cleared) ran = cleared;
  if (!ran) return ran.error();
  auto events = traces.news();
  if (!events) return events.error();
  observed.events = std::move(*events);
  return observed;
}

}  // namespace pnfs::scenario
