// What pnfs-mds may be told, on the command line and in the table [mds] of its configuration file, and what it means
// for the server.
#pragma once

#include <string>
#include <vector>

#include "common/server/options.hpp"
#include "mds/options.hpp"

namespace pnfs::mds {

// As typed; checked by options_from().
struct Settings {
  std::vector<std::string> listen;
  std::string store;
  std::string initiator_name;
  std::string node = "mds";
  uint32_t lease_seconds = 90;
  uint32_t grace_seconds = 0;  // 0: one lease
  std::string profile = "modern";
  std::vector<std::string> layout;              // words, mds/layout/PERSONALITIES.md
  std::vector<std::string> layout_directories;  // "/dir WORDS"
  std::string dlm_device;
  std::string disk = "/dev/sdb";
  std::vector<std::string> exports;  // rules, mds/exports.hpp
  bool root_squash = false;
  bool read_only = false;
  bool no_delegations = false;
  bool open_arguments = false;
  ServerLimits limits;
  uint32_t max_io_kib = 1024;
  bool take_over = false;
  server::CommonOptions common;
};

void declare(server::SettingsTable& table, Settings& settings);
// invalid, with the option's name.
Result<Options> options_from(const Settings& settings);

}  // namespace pnfs::mds
