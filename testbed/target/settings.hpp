// What pnfs-target may be told on its command line, and what it then serves.
#pragma once

#include <string>

#include "common/server/options.hpp"
#include "testbed/target/config.hpp"

namespace pnfs::target {

// As typed.
struct Settings {
  std::string config;  // an ietd.conf; or the LUN that the following describe
  std::string file;
  std::string size;
  uint32_t block_bytes = 512;
  std::string cache = "write-back";
  std::string iqn = "iqn.2026-01.pnfslab:volume";
  bool thin = false;
  bool read_only = false;
  bool removable = false;
  std::string sanitize_rate;
  std::string listen = "127.0.0.1:13260";
  int listen_fd = -1;
  std::string state;  // folder of IET's state views; empty: none
  server::CommonOptions common;
};

void declare(server::SettingsTable& table, Settings& settings);
// Errors: invalid, with the option's name, or file and line; not_found.
Result<Config> config_from(const Settings& settings);

}  // namespace pnfs::target
