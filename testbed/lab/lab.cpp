#include "testbed/lab/lab.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "testbed/lab/daemon.hpp"
#include "testbed/lab/volume_tools.hpp"

namespace pnfs::lab {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kStopGrace{5000};
constexpr size_t kLongestSocketFolder = 90;  // sun_path holds 108 bytes
constexpr std::string_view kTargetName = "iqn.2026-01.pnfslab:lun0";
constexpr std::string_view kInitiatorPrefix = "iqn.2026-01.pnfslab.node:";

// Ctrl-C while servers are being started must end those that run already: the flag is looked at between steps.
volatile std::sig_atomic_t interrupted = 0;

class InterruptGuard {
 public:
  InterruptGuard() {
    struct sigaction on {};
    on.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &on, &old_int_);
    sigaction(SIGTERM, &on, &old_term_);
  }
  ~InterruptGuard() {
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
  }

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
};

class Starter {
 public:
  explicit Starter(const LabOptions& options) : options_(options) {
    state_.folder = options.state;
    state_.profile = options.profile;
  }

  Result<LabState> run() {
    const InterruptGuard guard;
    auto done = start_all();
    if (done && interrupted) done = error(Errc::cancelled, "interrupted");
    if (done) done = save_state(state_);
    if (!done) {
      stop_lab(state_);
      return done.error();
    }
    return state_;
  }

 private:
  Result<void> start_all() {
    if (auto done = prepare_folder(); !done) return done;
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
    }
    std::error_code ec;
    fs::create_directories(state_.folder + "/log", ec);
    if (!ec) fs::create_directories(state_.folder + "/trace", ec);
    if (ec) return error(Errc::io, "cannot make the state folder '{}': {}", state_.folder, ec.message());
    return {};
  }

  Result<void> start(Server server, std::vector<std::string> arguments) {
    if (interrupted) return error(Errc::cancelled, "interrupted");
    if (!options_.quiet) fmt::print(stderr, "starting {:<7} at {}:{}\n", server.name, server.address, server.port);
    std::error_code ignored;
    fs::remove(state_.trace_file(server.name), ignored);
    fs::remove(state_.socket_file(server.name), ignored);
    arguments.insert(arguments.begin(), fmt::format("{}/pnfs-{}", program_folder(), server.role));
    arguments.insert(arguments.end(), {"--listen", fmt::format("{}:{}", server.address, server.port), "--trace",
                                       state_.trace_file(server.name)});
    for (const auto& [node, rule] : options_.faults)
      if (node == server.name) arguments.insert(arguments.end(), {"--fault", rule});
    auto pid = start_daemon({.command = std::move(arguments), .log_file = state_.log_file(server.name)});
    if (!pid) return pid.error();
    server.pid = *pid;
    server.started = process_start_time(*pid);
    state_.servers.push_back(std::move(server));
    return {};
  }

  uint16_t port(unsigned offset) const { return static_cast<uint16_t>(options_.base_port + offset); }

  Result<void> start_target() {
    state_.store_url = options_.store;
    if (!options_.store.empty()) return {};
    const uint16_t target_port = port(kTargetPortOffset);
    state_.store_url = fmt::format("iscsi://{}:{}/{}/1", options_.address, target_port, kTargetName);
    return start({"target", "target", options_.address, target_port},
                 {"--file", state_.folder + "/lun.img", "--size", options_.lun_size, "--cache", options_.cache,
                  "--thin", "--iqn", std::string(kTargetName)});
  }

  // Only a LUN of our own is ever formatted unasked, and only when it is blank.
  Result<void> make_volume() {
    if (!options_.store.empty()) return {};
    return format_if_blank(state_.store_url, options_.data_servers + 2, "pnfslab:lab");
  }

  Result<void> start_mds() {
    return start({"mds", "mds", options_.address, port(0)},
                 node_arguments("mds", {"--profile", options_.profile, "--lease-seconds",
                                        std::to_string(options_.lease_seconds)}));
  }

  Result<void> start_ds(unsigned i) {
    const std::string name = fmt::format("ds{}", i);
    return start({"ds", name, options_.address, port(i)},
                 node_arguments(name, {"--mds", fmt::format("{}:{}", options_.address, port(0))}));
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
};

}  // namespace

Result<LabState> start_lab(const LabOptions& options) {
  return Starter(options).run();
}

size_t stop_lab(const LabState& state) {
  size_t killed = 0;
  for (auto server = state.servers.rbegin(); server != state.servers.rend(); ++server)
    if (!stop_process(server->pid, server->started, kStopGrace)) ++killed;
  std::error_code ignored;
  for (const Server& s : state.servers) fs::remove(state.socket_file(s.name), ignored);
  return killed;
}

}  // namespace pnfs::lab
