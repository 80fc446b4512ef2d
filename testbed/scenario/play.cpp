#include "testbed/scenario/play.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/capture/merge.hpp"
#include "common/trace/json_line.hpp"
#include "common/trace/reading.hpp"
#include "testbed/lab/guest_run.hpp"
#include "testbed/lab/interrupt.hpp"
#include "testbed/lab/lab.hpp"
#include "testbed/scenario/cluster_play.hpp"
#include "testbed/scenario/external_client.hpp"

namespace pnfs::scenario {

namespace {

constexpr uint16_t kPortStep = 20;    // of a lab: MDS, data servers
constexpr unsigned kPortBlocks = 60;  // fewer than would reach the targets' ports
constexpr int kPortTries = 30;

Result<lab::LabState> start(const Scenario& scenario, const RunOptions& run, const std::string& folder, Stage& stage) {
  lab::LabOptions options;
  options.state = folder;
  options.profile = scenario.profile;
  options.topology = run.hosts ? "hosts" : scenario.topology;
  options.data_servers = scenario.data_servers;
  options.lease_seconds = scenario.lease_seconds;
  options.cache = scenario.cache;
  options.lun_size = "1G";
  options.fault_seed = run.seed;
  options.ends_with_us = true;
  options.capture = !run.capture.empty();
  options.quiet = true;
  options.address = run.address;
  options.faults = scenario.rules();
  Result<lab::LabState> state = error(Errc::busy, "no free ports");
  for (int i = 0; i < kPortTries; ++i) {
    options.base_port = stage.next_base_port();
    state = lab::start_lab(options);
    if (state || state.error().code != Errc::refused || state.error().reason.find("in use") == std::string::npos) break;
  }
  return state;
}

Result<void> read_traces(const lab::LabState& state, std::vector<trace::OwnedEvent>& events) {
  auto read = trace::read_files(lab::files_of(state.folder, "trace", ".jsonl"));
  if (!read) return read.error();
  events = std::move(*read);
  return {};
}

Result<void> keep_capture(const std::string& folder, const Scenario& scenario, const lab::LabState& state,
                          const std::vector<trace::OwnedEvent>& events) {
  std::string lines;
  for (const trace::OwnedEvent& event : events) trace::append_json_line(lines, trace::to_view(event));
  std::ofstream out(fmt::format("{}/{}.jsonl", folder, scenario.id));
  out << lines;
  if (!out.flush()) return error(Errc::io, "cannot write the trace in '{}': {}", folder, std::strerror(errno));
  auto merged = capture::merge(lab::files_of(state.folder, "capture", ".pcapng"),
                               fmt::format("{}/{}.pcapng", folder, scenario.id));
  if (!merged) return merged.error();
  return {};
}

void save(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// One kernel client from its boot to its end.
class Client {
 public:
  Client(const Scenario& scenario, const RunOptions& run, const lab::LabState& state, unsigned number,
         HostFaultPlayer& host_faults, const std::string& folder)
      : folder_(folder), number_(number) {
    auto placed = place_client(run, state, number);
    if (!placed) {
      problem_ = placed.error();
      return;
    }
    options_ = std::move(*placed);
    options_.kernel_path = run.kernel_path;
    options_.modules_path = run.modules_path;
    options_.vers = scenario.vers;
    options_.mount_options = scenario.mount_options;
    options_.mount_timeout = std::chrono::seconds(scenario.mount_timeout_seconds);
    options_.kernel_arguments = scenario.kernel_arguments;
    options_.timeout = std::chrono::seconds(scenario.timeout_seconds);
    options_.command = {"sh", "-c", scenario.clients[number - 1]};
    options_.capture_file = fmt::format("{}/log/client{}.pcap", state.folder, number);
    const auto collect = [this, &host_faults](std::string_view text) {
      observed_.output += text;
      host_faults.on_output(observed_.output);
    };
    options_.on_output = collect;
    options_.on_error_output = collect;
  }

  Result<void> start() {
    if (!problem_) return problem_;
    auto guest = kernel::start_guest(std::move(options_));
    if (!guest) return guest.error();
    guest_ = std::move(*guest);
    stopper_ = std::make_unique<lab::StopOnInterrupt>(*guest_);
    return {};
  }

  void stop() { guest_->stop(); }

  void wait() {
    const kernel::GuestResult ran = guest_->wait();
    using kernel::Outcome;
    if (ran.outcome == Outcome::not_started || ran.outcome == Outcome::interrupted) {
      problem_ = error(Errc::io, "{}", ran.reason.empty() ? "the kernel did not start" : ran.reason);
      return;
    }
    release_ = ran.kernel_release;
    observed_.exit_code = ran.exit_code;
    observed_.mountstats = ran.mountstats;
    observed_.kernel_log = ran.kernel_log;
    observed_.kernel_problems = ran.kernel_problems;
    if (!ran.reason.empty()) observed_.output += ran.reason + "\n";
    std::error_code ignored;
    std::filesystem::create_directories(folder_ + "/log", ignored);
    const std::string prefix = fmt::format("{}/log/client{}", folder_, number_);
    save(prefix + ".out", observed_.output);
    save(prefix + ".dmesg", ran.kernel_log);
    save(prefix + ".mountstats", ran.mountstats);
  }

  const Result<void>& problem() const { return problem_; }
  const std::string& release() const { return release_; }
  ObservedClient take() { return std::move(observed_); }

 private:
  std::string folder_;
  unsigned number_;
  kernel::GuestOptions options_;
  std::unique_ptr<kernel::Guest> guest_;
  std::unique_ptr<lab::StopOnInterrupt> stopper_;
  ObservedClient observed_;
  std::string release_;
  Result<void> problem_;
};

Result<void> run_external(const Scenario& scenario, const RunOptions& options, const lab::LabState& state,
                          Observed& observed) {
  observed.from_outside = true;
  observed.kernel_release = options.client_release;
  std::vector<Result<ObservedClient>> ended(scenario.clients.size(), error(Errc::cancelled, "not started"));
  {
    std::vector<std::jthread> all;
    for (unsigned i = 0; i < ended.size(); ++i) {
      all.emplace_back([&, i] { ended[i] = run_external_client(scenario, options, state, i + 1); });
      if (options.client_command == kManualClient) all.back().join();  // one after the other
    }
  }
  for (auto& client : ended) {
    if (!client) return client.error();
    observed.clients.push_back(std::move(*client));
  }
  return {};
}

}  // namespace

Result<kernel::GuestOptions> place_client(const RunOptions& options, const lab::LabState& state, unsigned number) {
  return state.containers ? lab::guest_options_for(options.network, number) : lab::guest_options_for(state, number);
}

Result<void> run_clients(const Scenario& scenario, const RunOptions& options, const lab::LabState& state,
                         HostFaultPlayer& host_faults, const std::string& folder, Observed& observed) {
  std::vector<std::unique_ptr<Client>> clients;
  Result<void> started;
  for (unsigned number = 1; number <= scenario.clients.size() && started; ++number) {
    auto client = std::make_unique<Client>(scenario, options, state, number, host_faults, folder);
    started = client->start();
    if (started) clients.push_back(std::move(client));
  }
  if (!started)
    for (auto& client : clients) client->stop();
  std::vector<std::jthread> waiters;
  for (auto& client : clients) waiters.emplace_back([&] { client->wait(); });
  waiters.clear();
  if (!started) return started;
  for (auto& client : clients) {
    if (!client->problem()) return client->problem();
    observed.kernel_release = client->release();
    observed.clients.push_back(client->take());
  }
  return {};
}

uint16_t Stage::next_base_port() {
  return static_cast<uint16_t>(base_port_ + labs_++ % kPortBlocks * kPortStep);
}

Result<Observed> play(const Scenario& scenario, const RunOptions& options, const std::string& folder, Stage& stage) {
  if (!scenario.steps.empty()) return play_in_cluster(scenario, options.seed, folder);
  auto state = start(scenario, options, folder, stage);
  if (!state) return state.error();
  Observed observed;
  HostFaultPlayer host_faults(*state, scenario.host_faults);
  auto ran = host_faults.start();
  if (ran) {
    ran = options.client_command.empty() ? run_clients(scenario, options, *state, host_faults, folder, observed)
                                         : run_external(scenario, options, *state, observed);
  }
  if (auto done = host_faults.finish(); ran && !done) ran = done;
  lab::stop_lab(*state);
  if (!ran) return ran.error();
  observed.host_faults_never = host_faults.never_acted();
  if (auto read = read_traces(*state, observed.events); !read) return read.error();
  if (!options.capture.empty())
    if (auto kept = keep_capture(options.capture, scenario, *state, observed.events); !kept) return kept.error();
  return observed;
}

}  // namespace pnfs::scenario
