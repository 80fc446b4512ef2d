// The command line and configuration file of pnfs-mds, and what they mean for the server.
#pragma once

#include <string>
#include <vector>

#include "common/block/iscsi_block_store.hpp"
#include "mds/options.hpp"

namespace CLI {
class App;
}

namespace pnfs::mds {

// As typed; checked by options_from().
struct Settings {
  std::string config;  // TOML file; its values are defaults that the command line overrides
  std::vector<std::string> listen;
  std::string store;
  std::string initiator_name;
  std::string node = "mds";
  uint32_t lease_seconds = 90;
  uint32_t grace_seconds = 0;  // 0: one lease
  std::string profile = "modern";
  std::string dlm_device;
  std::string state_socket;
  std::string trace;
  std::vector<std::string> faults;  // rules, common/fault/RULES.md
  uint64_t fault_seed = 0;
  bool root_squash = false;
  bool read_only = false;
  bool no_delegations = false;
  bool take_over = false;
  int ready_fd = -1;
};

void declare(CLI::App& app, Settings& settings);
// Reads the file into what the command line did not say. invalid, not_found: with file, line and key.
Result<void> apply_config_file(const CLI::App& app, Settings& settings);
Result<Options> options_from(const Settings& settings);
block::IscsiOptions iscsi_options_from(const Settings& settings);

}  // namespace pnfs::mds
