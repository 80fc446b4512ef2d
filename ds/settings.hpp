// What pnfs-ds may be told, on the command line and in the table [ds] of its configuration file, and what it means for
// the server.
#pragma once

#include <string>
#include <vector>

#include "common/server/options.hpp"
#include "ds/options.hpp"

namespace pnfs::ds {

// As typed; checked by options_from().
struct Settings {
  std::string node = "ds1";
  std::vector<std::string> listen;
  std::vector<std::string> advertise;
  std::string mds;
  std::string store;
  std::string initiator_name;
  bool strict_seqid = false;
  bool lazy_size = false;
  uint32_t join_seconds = 30;
  uint32_t max_read_bytes = 1u << 20;
  uint32_t max_write_bytes = 1u << 20;
  uint64_t keep_grants = 10'000;
  server::CommonOptions common;
};

void declare(server::SettingsTable& table, Settings& settings);
// invalid, with the option's name.
Result<Options> options_from(const Settings& settings);

}  // namespace pnfs::ds
