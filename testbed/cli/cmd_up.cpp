// pnfslab up: target, metadata server and data servers in one command.
#include "common/base/config.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/lab.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

const std::vector<std::string_view> kProfiles{"modern", "dlm-2014", "local-export", "spnfs"};

Result<void> read_config(const std::string& path, LabOptions& options) {
  auto file = ConfigFile::load(path);
  if (!file) return file.error();
  ConfigReader lab = file->table("lab");
  lab.value("state", options.state);
  lab.value("data_servers", options.data_servers, 1, lab::kMostDataServers);
  lab.choice("profile", options.profile, kProfiles);
  lab.choice("topology", options.topology, {"loopback", "hosts"});
  lab.value("address", options.address);
  lab.value("base_port", options.base_port, 1024, 64000);
  lab.value("store", options.store);
  lab.value("lun_size", options.lun_size);
  lab.choice("cache", options.cache, {"volatile", "write-back", "write-through"});
  lab.value("lease_seconds", options.lease_seconds, 1, 3600);
  lab.value("faults", options.faults);
  lab.value("fault_seed", options.fault_seed);
  lab.value("layout", options.layout);
  lab.value("layout_directories", options.layout_directories);
  lab.value("mds_options", options.mds_options);
  lab.value("capture", options.capture);
  return file->finish();
}

int up(const LabOptions& options) {
  const auto state = start_lab(options);
  if (!state) return report("up", state.error());
  if (options.quiet) return 0;
  const Server* mds = state->find("mds");
  fmt::print("up: profile {}, {} data servers, volume {}\n", state->profile, options.data_servers, state->store_url);
  if (state->network) {
    fmt::print(
        "mount it in a kernel of its own, which is a machine of its own in their network:\n"
        "  pnfslab client -- ls -l /mnt/pnfs\n"
        "or run a client of yours on the host `client`:\n  pnfslab exec client -- CMD\n");
    return 0;
  }
  fmt::print(
      "mount it from any machine that reaches {0}:\n"
      "  mount -t nfs4 -o vers=4.1,port={1} {0}:/ DIR\n"
      "or in a kernel of its own:\n  pnfslab client -- ls -l /mnt/pnfs\n",
      mds->address, mds->port);
  return 0;
}

}  // namespace

void add_up(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("up",
                                 "Start a target, a metadata server and data servers\n"
                                 "Example: pnfslab up --data-servers 3 --profile dlm-2014");
  auto options = std::make_shared<LabOptions>();
  auto config = std::make_shared<std::string>();
  // The file is read first, so that what stands on the command line wins.
  sub->add_option("--config", *config, "TOML file with a [lab] table; command-line options win over it");
  std::vector<std::string> profiles(kProfiles.begin(), kProfiles.end());
  auto chosen = std::make_shared<LabOptions>();
  struct Choice {
    CLI::Option* option;
    std::function<void(LabOptions& to, const LabOptions& from)> copy;
  };
  auto choices = std::make_shared<std::vector<Choice>>();
  auto option = [&](const char* name, auto member, const char* help) {
    auto* o = sub->add_option(name, (*chosen).*member, help)->capture_default_str();
    choices->push_back({o, [member](LabOptions& to, const LabOptions& from) { to.*member = from.*member; }});
    return o;
  };
  option("--state", &LabOptions::state, "Folder for the LUN image, logs, traces and sockets");
  option("--data-servers", &LabOptions::data_servers, "How many data servers")->check(CLI::Range(1u, lab::kMostDataServers));
  option("--profile", &LabOptions::profile, "Server personality")->check(CLI::IsMember(profiles));
  option("--address", &LabOptions::address, "Address to listen on")->check(CLI::ValidIPV4);
  option("--base-port", &LabOptions::base_port,
         "Port of the MDS; data server i listens at base+i, the target at base+1211")
      ->check(CLI::Range(1024, 64000));
  option("--store", &LabOptions::store, "Use this LUN (iscsi://host:port/iqn/lun) instead of a target of our own");
  option("--lun-size", &LabOptions::lun_size, "Size of our own LUN when it is made");
  option("--cache", &LabOptions::cache, "Cache of our own LUN: volatile loses unflushed writes when killed")
      ->check(CLI::IsMember({"volatile", "write-back", "write-through"}));
  option("--fault", &LabOptions::faults, "A fault rule in force from the start; may be given more than once");
  option("--fault-seed", &LabOptions::fault_seed, "Where the rules' chances come from");
  option("--lease-seconds", &LabOptions::lease_seconds, "NFS lease time")->check(CLI::Range(1u, 3600u));
  option("--layout", &LabOptions::layout,
         "Striping and more, over the profile's: unit=8K packing=dense; may be given more than once")
      ->allow_extra_args(false);
  option("--layout-directory", &LabOptions::layout_directories,
         "Striping of files made below a directory, \"/dir unit=8K\"; may be given more than once")
      ->allow_extra_args(false);
  option("--mds-option", &LabOptions::mds_options,
         "A further option of pnfs-mds, --mds-option=--no-delegations; may be given more than once")
      ->allow_extra_args(false);
  option("--topology", &LabOptions::topology,
         "loopback: all on one address; hosts: each a machine of its own, with the addresses of docker-compose.yml")
      ->check(CLI::IsMember({"loopback", "hosts"}));
  auto* capture = sub->add_flag("--capture", chosen->capture,
                                "Every server captures its packets (pnfslab capture merges them)");
  choices->push_back({capture, [](LabOptions& to, const LabOptions& from) { to.capture = from.capture; }});
  sub->add_flag("-q,--quiet", options->quiet, "Print nothing but errors");
  sub->callback([=, &action] {
    action = [=]() -> int {
      if (!config->empty())
        if (auto read = read_config(*config, *options); !read) {
          report("up", read.error());
          return kExitUsage;
        }
      for (const Choice& choice : *choices)
        if (choice.option->count() > 0) choice.copy(*options, *chosen);
      return up(*options);
    };
  });
}

}  // namespace pnfs::cli
