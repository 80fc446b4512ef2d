#include "common/server/options.hpp"

#include <iostream>

#include "common/live/metrics_server.hpp"
#include "common/server/settings_table.hpp"

namespace pnfs::server {

void declare(SettingsTable& table, CommonOptions& o) {
  table
      .add("--state-socket", "state_socket", o.state_socket,
           "Unix socket that takes listening sockets of guests, and commands")
      ->type_name("PATH");
  table.add("--trace", "trace", o.trace, "Append one JSON line for each operation")->type_name("FILE");
  table.add("--capture", "capture", o.capture, "Append every packet to this pcapng file")->type_name("FILE");
  table.add("--metrics", "metrics", o.metrics, "Serve OpenMetrics text at http://127.0.0.1:PORT/metrics")
      ->type_name("[ADDR:]PORT");
  table.add("--fault", "faults", o.faults, "A fault rule in force from the start; may be given more than once")
      ->type_name("RULE");
  table.add("--fault-seed", "fault_seed", o.fault_seed, "Where the rules' chances come from")->type_name("N");
  table.add("--ready-fd", nullptr, o.ready_fd, "Write \"ready\" to this descriptor once serving")->type_name("FD");
  table.add_choice("--log-level", "log_level", o.log_level, {"trace", "debug", "info", "warn", "error"},
                   "What is said on standard error");
}

Result<void> check(const CommonOptions& options) {
  if (options.metrics.empty()) return {};
  auto at = live::parse_metrics_address(options.metrics);
  if (!at) return at.error().with_context("--metrics");
  return {};
}

int fail(std::string_view program, const Error& error) {
  std::cerr << program << ": " << error.reason << "\n";
  return error.code == Errc::invalid ? kUsageFailure : kRunTimeFailure;
}

}  // namespace pnfs::server
