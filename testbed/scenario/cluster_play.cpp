#include "testbed/scenario/cluster_play.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "testbed/cluster/cluster.hpp"
#include "testbed/scenario/step_client.hpp"

namespace pnfs::scenario {

namespace {

constexpr int kStepFailed = 1;

Result<cluster::Options> options_for(const Scenario& scenario, uint64_t seed) {
  cluster::Options options;
  options.seed = seed + 1;
  options.data_servers = scenario.data_servers;
  options.mds.lease = std::chrono::seconds(scenario.lease_seconds);
  const auto profile = mds::profile_from(scenario.profile);
  if (!profile) return error(Errc::invalid, "profile '{}' is not known", scenario.profile);
  options.mds.profile = *profile;
  options.rules = scenario.rules();
  return options;
}

// The client machines of a run: each boots and mounts when a step first names it, and a new one by the step `mount`.
class Machines {
 public:
  Machines(cluster::Cluster& cluster, const Scenario& scenario) : cluster_(cluster), scenario_(scenario) {}

  StepClient::Answer mount(unsigned number) {
    const unsigned boots = ++boots_[number];
    const std::string name = boots == 1 ? fmt::format("client{}", number) : fmt::format("client{}.{}", number, boots);
    client::FileSystem& fs =
        cluster_.add_client(name, {.renew_every = std::chrono::seconds(scenario_.lease_seconds) / 2});
    clients_[number] = std::make_unique<StepClient>(fs, cluster_.sim().timers(), cluster_.mds_address());
    return run(*clients_[number], {.words = {"mount"}});
  }

  // What restarts a server is no business of a client's.
  StepClient::Answer take(const Step& step) {
    StepClient::Answer answer;
    if (step.words[0] == "restart") {
      auto done = cluster_.stop(step.words[1]);
      if (done) done = cluster_.restart(step.words[1]);
      if (!done) answer.wrong = done.error().reason;
      return answer;
    }
    if (step.words[0] == "mount") return mount(step.client);
    if (!clients_.contains(step.client)) answer = mount(step.client);
    if (!answer.wrong.empty() || answer.status != nfs::NFS4_OK) return answer;
    return run(*clients_[step.client], step);
  }

 private:
  StepClient::Answer run(StepClient& client, const Step& step) {
    return cluster_.run(client.take(step), std::chrono::seconds(scenario_.timeout_seconds));
  }

  cluster::Cluster& cluster_;
  const Scenario& scenario_;
  std::map<unsigned, std::unique_ptr<StepClient>> clients_;
  std::map<unsigned, unsigned> boots_;
};

// True when all steps were answered as they should be.
bool take_steps(Machines& machines, const Scenario& scenario, std::string& output) {
  for (const Step& step : scenario.steps) {
    const auto answer = machines.take(step);
    const bool good = answer.wrong.empty() && answer.status == step.expected;
    const std::string status = answer.wrong.empty() ? nfs::status_name(answer.status) : answer.wrong;
    output += fmt::format("{} -> {}{}{}\n", step.text, status, answer.shown.empty() ? "" : " ", answer.shown);
    if (good) continue;
    output += fmt::format("line {}: '{}' should have been answered {}\n", step.line, step.text,
                          nfs::status_name(step.expected));
    return false;
  }
  return true;
}

// In good order, as the end of any lab.
void stop_all(cluster::Cluster& cluster, unsigned data_servers) {
  for (unsigned number = data_servers; number > 0; --number)
    if (const std::string name = fmt::format("ds{}", number); cluster.running(name)) (void)cluster.stop(name);
  if (cluster.running("mds")) (void)cluster.stop("mds");
}

// In the order of time.
std::vector<trace::OwnedEvent> events_of(cluster::Cluster& cluster) {
  std::vector<trace::OwnedEvent> events = cluster.trace().events();
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.ts < b.ts; });
  return events;
}

}  // namespace

Result<Observed> play_in_cluster(const Scenario& scenario, uint64_t seed, const std::string& folder) {
  auto options = options_for(scenario, seed);
  if (!options) return options.error();
  Observed observed;
  observed.from_outside = true;  // there is no kernel to ask
  ObservedClient& seen = observed.clients.emplace_back();
  // Outlives the cluster: a step that never ended may still be looked at when that ends.
  std::optional<Machines> machines;
  cluster::Cluster cluster(std::move(*options));
  if (auto started = cluster.start(); !started) return started.error();
  machines.emplace(cluster, scenario);
  try {
    const auto mounted = machines->mount(1);
    if (!mounted.wrong.empty() || mounted.status != nfs::NFS4_OK) {
      seen.exit_code = 32;
      seen.output =
          fmt::format("mount -> {}\n", mounted.wrong.empty() ? nfs::status_name(mounted.status) : mounted.wrong);
    } else if (!take_steps(*machines, scenario, seen.output)) {
      seen.exit_code = kStepFailed;
    }
    // Before the end: servers that stop recall layouts.
    observed.events = events_of(cluster);
    stop_all(cluster, scenario.data_servers);
  } catch (const std::logic_error& hung) {  // Simulation::run: nothing can ever happen any more, or not in time
    seen.exit_code = kStepFailed;
    seen.output += fmt::format("a step never ended: {}\n", hung.what());
    observed.events = events_of(cluster);
  }
  if (!folder.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(folder + "/trace", ignored);
    std::filesystem::create_directories(folder + "/log", ignored);
    std::ofstream(folder + "/trace/cluster.jsonl", std::ios::binary) << cluster.trace().json_lines();
    std::ofstream(folder + "/log/client1.out", std::ios::binary) << seen.output;
  }
  return observed;
}

}  // namespace pnfs::scenario
