// pnfs-ds's command line and configuration file, checked, apart from the process that runs it.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "ds/options.hpp"

namespace pnfs::ds {

struct ProcessOptions {
  Options server;
  std::string store;  // iscsi://...
  std::string initiator_name;
  std::string state_socket;  // where listening sockets of other namespaces are passed in; empty: none
  std::string trace;         // file of JSON lines; empty: none
  std::string faults;        // file of fault rules; empty: none
  int ready_fd = -1;
  std::string log_level = "info";
};

// What the command line gives: texts, not yet checked. Empty: take the configuration file's, else the default.
struct CommandLine {
  std::string config, node, store, initiator_name, mds, state_socket, trace, faults, log_level;
  std::vector<std::string> listen, advertise;
  int ready_fd = -1;
  bool strict_seqid = false;
};

// The file first, then the options on top of it. Errors: invalid, with file, line and key or the option's name.
Result<ProcessOptions> read_options(const CommandLine& line);

// Runs until SIGTERM or SIGINT. The process's exit code.
int run_process(const ProcessOptions& options);

}  // namespace pnfs::ds
