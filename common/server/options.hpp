// What every server process may be told besides its own work, and the exit codes of servers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::server {

class SettingsTable;

inline constexpr int kRunTimeFailure = 1;
inline constexpr int kUsageFailure = 2;

// As typed.
struct CommonOptions {
  std::string trace;                // file of JSON lines; empty: none
  std::string capture;              // pcapng file; empty: none
  std::string metrics;              // [ADDR:]PORT of the OpenMetrics page; empty: none
  std::string state_socket;         // takes listening sockets of other namespaces, and commands; empty: none
  std::vector<std::string> faults;  // rules in force from the start (common/fault/RULES.md)
  uint64_t fault_seed = 0;
  int ready_fd = -1;
  std::string log_level = "info";
};

void declare(SettingsTable& table, CommonOptions& options);
// invalid, with the option's name. Besides this only opening the files can go wrong.
Result<void> check(const CommonOptions& options);

// Prints the sentence of an error; the exit code for it.
int fail(std::string_view program, const Error& error);

}  // namespace pnfs::server
