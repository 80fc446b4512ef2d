#include "mds/settings.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "common/base/process.hpp"
#include "common/block/iscsi_block_store.hpp"
#include "common/server/settings_table.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::mds {

namespace {

constexpr uint16_t kNfsPort = 2049;
constexpr uint32_t kMaxLeaseSeconds = 3600;

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
  const auto pid = static_cast<pid_t>(owner.pid);
  if (::kill(pid, 0) != 0) return errno == ESRCH;
  // One that was killed stays as a zombie until its parent, often a container's first process, takes note of it.
  const auto stat = process_stat(pid);
  return stat && stat->ended();
}

// One row for each limit: option, key of the configuration file, where it goes.
struct LimitRow {
  const char* option;
  const char* key;
  uint32_t ServerLimits::*where;
  uint32_t most;
  const char* help;
};
constexpr LimitRow kLimitRows[] = {
    {"--max-clients", "max_clients", &ServerLimits::clients, 1'000'000, "Client records; beyond: EXCHANGE_ID waits"},
    {"--max-sessions", "max_sessions", &ServerLimits::sessions, 1'000'000, "Sessions of all clients"},
    {"--max-sessions-per-client", "max_sessions_per_client", &ServerLimits::sessions_per_client, 10'000,
     "Sessions of one client"},
    {"--max-slots", "max_slots", &ServerLimits::slots, 1024, "Slots of one session"},
    {"--max-connections", "max_connections", &ServerLimits::connections, 1'000'000, "TCP connections"},
    {"--max-stateids", "max_stateids", &ServerLimits::stateids_per_client, 100'000'000,
     "Opens, lock-owners and delegations of one client"},
    {"--max-locks", "max_locks", &ServerLimits::locks_per_owner, 100'000'000, "Ranges of one lock-owner on one file"},
    {"--max-client-kib", "max_client_kib", &ServerLimits::kib_per_client, 4u << 20,
     "Memory of one client: its state, and the reply cache of its sessions"},
    {"--max-reply-cache-mib", "max_reply_cache_mib", &ServerLimits::reply_cache_mib, 1u << 20,
     "Memory of all reply caches"},
};
constexpr uint32_t kLeastIoKib = 4, kMostIoKib = 16'384;

void declare_limits(server::SettingsTable& table, Settings& s) {
  constexpr const char* kGroup = "Limits (mds/LIMITS.md)";
  for (const LimitRow& row : kLimitRows)
    table.add(row.option, row.key, s.limits.*row.where, 1, row.most, row.help)->capture_default_str()->group(kGroup);
  table
      .add("--max-io-kib", "max_io_kib", s.max_io_kib, kLeastIoKib, kMostIoKib,
           "Data of one READ or WRITE; the request size follows")
      ->capture_default_str()
      ->group(kGroup);
}

Result<Exports> exports_from(const Settings& settings) {
  std::vector<ExportRule> rules;
  for (const std::string& text : settings.exports) {
    auto rule = parse_export_rule(text);
    if (!rule) return rule.error().with_context("--export");
    rules.push_back(std::move(*rule));
  }
  if (!rules.empty() && (settings.root_squash || settings.read_only)) {
    return error(Errc::invalid,
                 "--root-squash and --read-only do not go with --export: say ro or root_squash in the rule");
  }
  if (rules.empty()) rules.push_back({.read_only = settings.read_only, .squash = {.root = settings.root_squash}});
  return Exports(std::move(rules));
}

}  // namespace

void declare(server::SettingsTable& t, Settings& s) {
  t.add("--listen", "listen", s.listen, "Where to serve NFS; may be given more than once")->type_name("ADDR:PORT");
  t.add("--store", "store", s.store, "The volume's LUN, iscsi://[user%password@]host:port/iqn/lun")->type_name("URL");
  t.add("--initiator-name", "initiator_name", s.initiator_name, "iSCSI name of this node")->type_name("IQN");
  t.add("--node", "node", s.node, "Name of this server; part of its identity towards clients")->type_name("NAME");
  t.add("--lease-seconds", "lease_seconds", s.lease_seconds, 1, kMaxLeaseSeconds, "NFS lease time");
  t.add("--grace-seconds", "grace_seconds", s.grace_seconds, 0, kMaxLeaseSeconds,
        "Grace period after a start; 0 means one lease");
  t.add_choice("--profile", "profile", s.profile, {"modern", "dlm-2014", "local-export", "spnfs"},
               "Server personality");
  t.add("--layout", "layout", s.layout,
        "Words over the personality: unit=8K packing=dense commit=mds (mds/layout/PERSONALITIES.md); may be given "
        "more than once")
      ->type_name("WORDS")
      ->allow_extra_args(false);
  t.add("--layout-directory", "layout_directories", s.layout_directories,
        "Striping of files made below a directory, \"/dir unit=8K\"; may be given more than once")
      ->type_name("DIR WORDS")
      ->allow_extra_args(false);
  t.add("--disk", "disk", s.disk, "What pnfs_dlm_device lines call this volume")->type_name("NAME");
  t.add("--dlm-device", "dlm_device", s.dlm_device, "Line of pnfs_dlm_device, \"/dev/sdb:IP,IP\"")->type_name("LINE");
  t.add("--export", "exports", s.exports,
        "Who may use the export and how, as in exports(5): '10.1.0.0/16(rw,no_root_squash)'. The first rule that "
        "matches counts, without a match a client is refused; without rules everybody may do everything")
      ->type_name("RULE");
  t.add_flag("--root-squash", "root_squash", s.root_squash, "Treat uid 0 as nobody; short for --export '*(rw)'");
  t.add_flag("--read-only", "read_only", s.read_only, "Refuse changes; short for --export '*(ro,no_root_squash)'");
  t.add_no_flag("--no-delegations", "delegations", s.no_delegations, "Grant no delegations");
  t.add_flag("--open-arguments", "open_arguments", s.open_arguments, "Offer the OPEN_ARGUMENTS attribute (RFC 9754)");
  t.add_flag("--take-over", nullptr, s.take_over, "Mount the volume although its owner seems alive");
  declare_limits(t, s);
  server::declare(t, s.common);
}

Result<Options> options_from(const Settings& settings) {
  Options options;
  if (settings.store.empty()) {
    return error(Errc::invalid, "say where the volume is: --store iscsi://host:port/iqn/lun (see --help)");
  }
  if (auto url = block::parse_iscsi_url(settings.store); !url) return url.error().with_context("--store");
  if (settings.listen.empty() && settings.common.state_socket.empty()) {
    return error(Errc::invalid, "say where to serve: --listen ADDR:PORT (see --help)");
  }
  for (const std::string& text : settings.listen) {
    auto endpoint = io::parse_endpoint(text, kNfsPort);
    if (!endpoint) return endpoint.error().with_context("--listen");
    options.listen.push_back(*endpoint);
  }
  if (auto good = server::check(settings.common); !good) return good.error();
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
  layout::Personality personality = *layout::make_personality(settings.profile);
  for (const std::string& words : settings.layout)
    if (auto good = layout::apply_words(personality, words); !good) return good.error().with_context("--layout");
  for (const std::string& text : settings.layout_directories)
    if (auto good = layout::add_directory(personality, text); !good)
      return good.error().with_context("--layout-directory");
  options.personality = std::move(personality);
  options.dlm_device = settings.dlm_device;
  auto exports = exports_from(settings);
  if (!exports) return exports.error();
  options.exports = std::move(*exports);
  options.limits = settings.limits;
  options.max_read_bytes = options.max_write_bytes = settings.max_io_kib << 10;
  options.disk = settings.disk;
  options.delegations = !settings.no_delegations;
  options.open_arguments = settings.open_arguments;
  options.force_mount = settings.take_over;
  options.host = host_identity();
  options.pid = static_cast<uint64_t>(::getpid());
  options.owner_is_dead = process_is_gone;
  return options;
}

}  // namespace pnfs::mds
