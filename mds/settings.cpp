#include "mds/settings.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "common/base/config.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::mds {

namespace {

constexpr uint16_t kNfsPort = 2049;
constexpr int64_t kMaxLeaseSeconds = 3600;

// Names this machine and pid namespace: within it a process id says whether a process still runs.
std::string host_identity() {
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  char name[64];
  const ssize_t length = ::readlink("/proc/self/ns/pid", name, sizeof name);
  if (boot_id.empty() || length <= 0) return {};
  return boot_id + "/" + std::string(name, static_cast<size_t>(length));
}

bool process_is_gone(const volume::OwnerRecord& owner) {
  if (owner.pid == 0 || owner.pid == static_cast<uint64_t>(::getpid())) return owner.pid != 0;
  return ::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

void declare(CLI::App& app, Settings& s) {
  app.add_option("--config", s.config, "TOML file with an [mds] table; options given here win over it")
      ->type_name("FILE");
  app.add_option("--listen", s.listen, "Where to serve NFS; may be given more than once")->type_name("ADDR:PORT");
  app.add_option("--store", s.store, "The volume's LUN, iscsi://[user%password@]host:port/iqn/lun")->type_name("URL");
  app.add_option("--initiator-name", s.initiator_name, "iSCSI name of this node")->type_name("IQN");
  app.add_option("--node", s.node, "Name of this server; part of its identity towards clients")->type_name("NAME");
  app.add_option("--lease-seconds", s.lease_seconds, "NFS lease time")->check(CLI::Range(1, 3600));
  app.add_option("--grace-seconds", s.grace_seconds, "Grace period after a start; 0 means one lease")
      ->check(CLI::Range(0, 3600));
  app.add_option("--profile", s.profile, "Server personality: modern, dlm-2014, local-export, spnfs");
  app.add_option("--dlm-device", s.dlm_device, "Line of pnfs_dlm_device, \"/dev/sdb:IP,IP\"")->type_name("LINE");
  app.add_option("--state-socket", s.state_socket, "Unix socket that takes listening sockets of guests")
      ->type_name("PATH");
  app.add_option("--trace", s.trace, "Append one JSON line for each operation")->type_name("FILE");
  app.add_option("--fault", s.faults, "A fault rule in force from the start; may be given more than once")
      ->type_name("RULE");
  app.add_option("--fault-seed", s.fault_seed, "Where the rules' chances come from")->type_name("N");
  app.add_flag("--root-squash", s.root_squash, "Treat uid 0 as nobody");
  app.add_flag("--read-only", s.read_only, "Refuse changes");
  app.add_flag("--no-delegations", s.no_delegations, "Grant no delegations");
  app.add_flag("--take-over", s.take_over, "Mount the volume although its owner seems alive");
  app.add_option("--ready-fd", s.ready_fd, "Write \"ready\" to this descriptor once serving")->type_name("FD");
  app.footer(
      "Example:\n  pnfs-mds --listen 127.0.0.1:12049 --store iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:volume/1\n"
      "  mount -t nfs4 -o minorversion=1,port=12049 127.0.0.1:/ /mnt");
}

Result<void> apply_config_file(const CLI::App& app, Settings& settings) {
  if (settings.config.empty()) return {};
  auto file = ConfigFile::load(settings.config);
  if (!file) return file.error();
  Settings read = settings;
  bool delegations = !read.no_delegations;
  ConfigReader table = file->table("mds");
  table.value("listen", read.listen);
  table.value("store", read.store);
  table.value("initiator_name", read.initiator_name);
  table.value("node", read.node);
  table.value("lease_seconds", read.lease_seconds, 1, kMaxLeaseSeconds);
  table.value("grace_seconds", read.grace_seconds, 0, kMaxLeaseSeconds);
  table.choice("profile", read.profile, {"modern", "dlm-2014", "local-export", "spnfs"});
  table.value("dlm_device", read.dlm_device);
  table.value("state_socket", read.state_socket);
  table.value("trace", read.trace);
  table.value("faults", read.faults);
  table.value("fault_seed", read.fault_seed);
  table.value("root_squash", read.root_squash);
  table.value("read_only", read.read_only);
  table.value("delegations", delegations);
  if (auto done = file->finish(); !done) return done.error();
  const auto given = [&](const char* option) { return app.count(option) > 0; };
  if (!given("--listen")) settings.listen = read.listen;
  if (!given("--store")) settings.store = read.store;
  if (!given("--initiator-name")) settings.initiator_name = read.initiator_name;
  if (!given("--node")) settings.node = read.node;
  if (!given("--lease-seconds")) settings.lease_seconds = read.lease_seconds;
  if (!given("--grace-seconds")) settings.grace_seconds = read.grace_seconds;
  if (!given("--profile")) settings.profile = read.profile;
  if (!given("--dlm-device")) settings.dlm_device = read.dlm_device;
  if (!given("--state-socket")) settings.state_socket = read.state_socket;
  if (!given("--trace")) settings.trace = read.trace;
  if (!given("--fault")) settings.faults = read.faults;
  if (!given("--fault-seed")) settings.fault_seed = read.fault_seed;
  if (!given("--root-squash")) settings.root_squash = read.root_squash;
  if (!given("--read-only")) settings.read_only = read.read_only;
  if (!given("--no-delegations")) settings.no_delegations = !delegations;
  return {};
}

Result<Options> options_from(const Settings& settings) {
  Options options;
  if (settings.store.empty()) {
    return error(Errc::invalid, "say where the volume is: --store iscsi://host:port/iqn/lun (see --help)");
  }
  if (auto url = block::parse_iscsi_url(settings.store); !url) return url.error().with_context("--store");
  if (settings.listen.empty() && settings.state_socket.empty()) {
    return error(Errc::invalid, "say where to serve: --listen ADDR:PORT (see --help)");
  }
  for (const std::string& text : settings.listen) {
    auto endpoint = io::parse_endpoint(text, kNfsPort);
    if (!endpoint) return endpoint.error().with_context("--listen");
    options.listen.push_back(*endpoint);
  }
  if (settings.node.empty() || settings.node.size() > 64) {
    return error(Errc::invalid, "--node: '{}' is not a name of 1 to 64 characters", settings.node);
  }
  options.node = settings.node;
  options.lease = std::chrono::seconds(settings.lease_seconds);
  if (settings.grace_seconds != 0) options.grace = std::chrono::seconds(settings.grace_seconds);
  const auto profile = profile_from(settings.profile);
  if (!profile) {
    return error(Errc::invalid, "--profile: '{}' is none of modern, dlm-2014, local-export, spnfs", settings.profile);
  }
  options.profile = *profile;
  options.dlm_device = settings.dlm_device;
  options.squash.root = settings.root_squash;
  options.read_only = settings.read_only;
  options.delegations = !settings.no_delegations;
  options.force_mount = settings.take_over;
  options.host = host_identity();
  options.pid = static_cast<uint64_t>(::getpid());
  options.owner_is_dead = process_is_gone;
  return options;
}

block::IscsiOptions iscsi_options_from(const Settings& settings) {
  block::IscsiOptions options;
  options.initiator_name =
      settings.initiator_name.empty() ? "iqn.2026-01.org.pnfslab:" + settings.node : settings.initiator_name;
  // Fixed per node, so that the target sees the same initiator port, with its reservation key, again.
  uint32_t hash = 2166136261u;
  for (char c : settings.node) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  options.isid = {hash & 0xffffff, static_cast<uint16_t>(hash >> 24)};
  return options;
}

}  // namespace pnfs::mds
