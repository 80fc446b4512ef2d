#include "testbed/lab/lab.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "common/volume/format.hpp"
#include "testbed/lab/daemon.hpp"
#include "testbed/lab/fault_rules.hpp"
#include "testbed/lab/hosts.hpp"
#include "testbed/lab/interrupt.hpp"
#include "testbed/lab/volume_tools.hpp"

namespace pnfs::lab {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kStopGrace{5000};
constexpr size_t kLongestSocketFolder = 90;  // sun_path holds 108 bytes
constexpr std::string_view kTargetName = "iqn.2026-01.pnfslab:lun0";
constexpr const char* kVolumeTable = "pnfslab:lab";
constexpr std::string_view kInitiatorPrefix = "iqn.2026-01.pnfslab.node:";

static_assert(kMostDataServers == volume::kMaxNodeSlots);

class Starter {
 public:
  explicit Starter(const LabOptions& options) : options_(options) {
    state_.folder = options.state;
    state_.profile = options.profile;
  }

  Result<LabState> run() {
    const InterruptGuard guard;  // Ctrl-C must end those servers that run already
    auto done = start_all();
    if (done && interrupted()) done = error(Errc::cancelled, "interrupted");
    if (done) done = save_state(state_);
    if (!done) {
      stop_lab(state_);
      return done.error();
    }
    return state_;
  }

 private:
  Result<void> start_all() {
    for (const std::string& text : options_.faults) {
      auto rule = fault::parse_rule(text, lab_vocabulary());
      if (!rule) return error(Errc::invalid, "fault rule '{}': {}", text, rule.error().reason);
      rules_.push_back(std::move(*rule));
    }
    if (auto done = prepare_folder(); !done) return done;
    if (auto done = make_network(); !done) return done;
    if (auto done = start_target(); !done) return done;
    if (auto done = make_volume(); !done) return done;
    if (auto done = start_mds(); !done) return done;
    for (unsigned i = 1; i <= options_.data_servers; ++i)
      if (auto done = start_ds(i); !done) return done;
    return {};
  }

  Result<void> prepare_folder() {
    if (state_.folder.size() > kLongestSocketFolder) {
      return error(Errc::invalid, "the state folder's path '{}' is too long for Unix sockets ({} bytes at most)",
                   state_.folder, kLongestSocketFolder);
    }
    if (auto old = load_state(state_.folder)) {
      for (const Server& s : old->servers) {
        if (!is_running(s)) continue;
        return error(Errc::busy, "a lab is up in '{}' ({} has pid {}); end it with: pnfslab down --state {}",
                     state_.folder, s.name, s.pid, state_.folder);
      }
      stop_lab(*old);  // of which a network without servers may be left
    }
    std::error_code ec, ignored;
    fs::create_directories(state_.folder + "/log", ec);
    if (!ec) fs::create_directories(state_.folder + "/trace", ec);
    if (!ec) fs::create_directories(state_.folder + "/capture", ec);
    if (!ec) fs::create_directories(state_.views_folder(), ec);
    // What servers of an earlier lab told, which this one may not have.
    for (const auto& [folder, ending] : {std::pair{"trace", ".jsonl"}, {"capture", ".pcapng"}})
      for (const std::string& file : files_of(state_.folder, folder, ending)) fs::remove(file, ignored);
    if (ec) return error(Errc::io, "cannot make the state folder '{}': {}", state_.folder, ec.message());
    return {};
  }

  bool has_hosts() const { return options_.topology == "hosts"; }

  Result<void> make_network() {
    if (!has_hosts()) return {};
    if (!options_.store.empty())
      return error(Errc::invalid, "the hosts of this topology reach no other target; leave out --store");
    if (options_.data_servers > kMostHostDataServers)
      return error(Errc::invalid, "this topology has addresses for {} data servers", kMostHostDataServers);
    if (!options_.quiet) fmt::print(stderr, "making    network of hosts\n");
    auto pid =
        start_daemon({.command = {program_folder() + "/pnfslab", "network", "--data-servers",
                                  std::to_string(options_.data_servers), "--socket", state_.socket_file("network")},
                      .log_file = state_.log_file("network"),
                      .ends_with_us = options_.ends_with_us});
    if (!pid) return pid.error();
    state_.network = Server{"network", "network", "", 0, *pid, process_start_time(*pid)};
    return {};
  }

  // Where a process of that host has to go.
  Result<std::vector<std::string>> namespaces_of(const std::string& host) const {
    if (!state_.network) return std::vector<std::string>{};
    return host_namespaces(state_, host);
  }

  Result<void> start(Server server, std::vector<std::string> arguments) {
    if (interrupted()) return error(Errc::cancelled, "interrupted");
    if (!options_.quiet) fmt::print(stderr, "starting {:<7} at {}:{}\n", server.name, server.address, server.port);
    std::error_code ignored;
    fs::remove(state_.socket_file(server.name), ignored);
    arguments.insert(arguments.begin(), fmt::format("{}/pnfs-{}", program_folder(), server.role));
    arguments.insert(arguments.end(), {"--listen", fmt::format("{}:{}", server.address, server.port), "--trace",
                                       state_.trace_file(server.name)});
    if (options_.capture) arguments.insert(arguments.end(), {"--capture", state_.capture_file(server.name)});
    for (const fault::Rule& rule : rules_)
      if (concerns(rule, server.role, server.name)) arguments.insert(arguments.end(), {"--fault", rule.text});
    if (options_.fault_seed != 0)
      arguments.insert(arguments.end(), {"--fault-seed", std::to_string(options_.fault_seed)});
    auto namespaces = namespaces_of(server.name);
    if (!namespaces) return namespaces.error();
    server.command = std::move(arguments);
    auto pid = start_daemon({.command = server.command,
                             .log_file = state_.log_file(server.name),
                             .ends_with_us = options_.ends_with_us,
                             .namespaces = std::move(*namespaces)});
    if (!pid) return pid.error();
    server.pid = *pid;
    server.started = process_start_time(*pid);
    state_.servers.push_back(std::move(server));
    return {};
  }

  uint16_t port(unsigned offset) const { return static_cast<uint16_t>(options_.base_port + offset); }

  // A server without its process: where clients (of the target: initiators) reach it.
  Server place_of(const std::string& role, const std::string& name, unsigned port_offset) const {
    if (!has_hosts()) return {role, name, options_.address, port(port_offset)};
    const Host host = *find_host(name);
    if (role == "target") return {role, name, host.san, kHostIscsiPort};
    return {role, name, host.nfs, kHostNfsPort};
  }

  Result<void> start_target() {
    state_.store_url = options_.store;
    if (!options_.store.empty()) return {};
    Server target = place_of("target", "target", kTargetPortOffset);
    state_.store_url = fmt::format("iscsi://{}:{}/{}/1", target.address, target.port, kTargetName);
    return start(std::move(target), {"--file", state_.folder + "/lun.img", "--size", options_.lun_size, "--cache",
                                     options_.cache, "--state", state_.views_folder(), "--thin", "--iqn",
                                     std::string(kTargetName), "--state-socket", state_.socket_file("target")});
  }

  // Only a LUN of our own is ever formatted unasked, and only when it is blank. All the node slots that there can be, a
  // block each: `ds add` shall not be refused one.
  Result<void> make_volume() {
    if (!options_.store.empty()) return {};
    if (!has_hosts()) return format_if_blank(state_.store_url, kMostDataServers, kVolumeTable);
    // Our own process is not in the target's network.
    auto namespaces = namespaces_of("mds");
    if (!namespaces) return namespaces.error();
    return run_to_end({.command = {program_folder() + "/pnfslab", "mkfs", "--if-blank", "-j", std::to_string(kMostDataServers),
                                   "-t", kVolumeTable, state_.store_url},
                       .log_file = state_.log_file("mkfs"),
                       .namespaces = std::move(*namespaces)});
  }

  Result<void> start_mds() {
    std::vector<std::string> words{"--profile", options_.profile, "--lease-seconds",
                                   std::to_string(options_.lease_seconds)};
    if (has_hosts()) words.insert(words.end(), {"--listen", control_address()});
    for (const std::string& text : options_.layout) words.insert(words.end(), {"--layout", text});
    for (const std::string& text : options_.layout_directories) words.insert(words.end(), {"--layout-directory", text});
    if (options_.profile == "dlm-2014") words.insert(words.end(), {"--dlm-device", dlm_line()});
    words.insert(words.end(), options_.mds_options.begin(), options_.mds_options.end());
    return start(place_of("mds", "mds", 0), node_arguments("mds", std::move(words)));
  }

  // What one had to write to /proc/fs/nfsd/pnfs_dlm_device in 2014: without it that server grants no layouts.
  std::string dlm_line() const {
    std::vector<std::string> servers;
    for (unsigned i = 1; i <= options_.data_servers; ++i)
      servers.push_back(place_of("ds", fmt::format("ds{}", i), i).address);
    return fmt::format("/dev/sdb:{}", fmt::join(servers, ","));
  }

  // Where data servers find the MDS.
  std::string control_address() const {
    if (!has_hosts()) return fmt::format("{}:{}", options_.address, port(0));
    return fmt::format("{}:{}", find_host("mds")->san, kHostNfsPort);
  }

  Result<void> start_ds(unsigned i) {
    const Server ds = place_of("ds", fmt::format("ds{}", i), i);
    std::vector<std::string> words{"--mds", control_address()};
    // Its address is not that of the MDS, which is what a client would be told otherwise.
    if (has_hosts()) words.insert(words.end(), {"--advertise", fmt::format("{}:{}", ds.address, ds.port)});
    return start(ds, node_arguments(ds.name, std::move(words)));
  }

  std::vector<std::string> node_arguments(const std::string& name, std::vector<std::string> more) const {
    std::vector<std::string> words{"--node",           name,
                                   "--store",          state_.store_url,
                                   "--initiator-name", std::string(kInitiatorPrefix) + name,
                                   "--state-socket",   state_.socket_file(name)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  const LabOptions& options_;
  LabState state_;
  std::vector<fault::Rule> rules_;
};

}  // namespace

Result<LabState> start_lab(const LabOptions& options) {
  return Starter(options).run();
}

Result<void> start_again(LabState& state, std::string_view name) {
  for (Server& server : state.servers) {
    if (server.name != name) continue;
    if (is_running(server)) return error(Errc::busy, "{} runs already (pid {})", name, server.pid);
    if (server.command.empty())
      return error(Errc::unsupported, "{} is a container: it is started with pnfslab net start {}", name, name);
    std::vector<std::string> namespaces;
    if (state.network) {
      auto files = host_namespaces(state, name);
      if (!files) return files.error();
      namespaces = std::move(*files);
    }
    const auto pid = start_daemon(
        {.command = server.command, .log_file = state.log_file(name), .namespaces = std::move(namespaces)});
    if (!pid) return pid.error();
    server.pid = *pid;
    server.started = process_start_time(*pid);
    return save_state(state);
  }
  return error(Errc::not_found, "this lab has no server '{}'", name);
}

size_t stop_lab(const LabState& state) {
  size_t killed = 0;
  for (auto server = state.servers.rbegin(); server != state.servers.rend(); ++server)
    if (!stop_process(server->pid, server->started, kStopGrace)) ++killed;
  if (state.network && !stop_process(state.network->pid, state.network->started, kStopGrace)) ++killed;
  std::error_code ignored;
  for (const Server& s : state.servers) fs::remove(state.socket_file(s.name), ignored);
  if (state.network) fs::remove(state.socket_file("network"), ignored);
  return killed;
}

}  // namespace pnfs::lab
