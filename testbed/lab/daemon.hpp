// Starts and ends the server processes. A server tells that it serves by writing to a pipe (--ready-fd), so nobody
// polls or guesses; one that ends before it is ready is reported with the last lines of its log.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::lab {

// The kernel's start time of a process in clock ticks since boot; 0 when there is none (or only its zombie).
uint64_t process_start_time(pid_t pid);

struct DaemonOptions {
  std::vector<std::string> command;  // argv; "--ready-fd", "3" is appended
  std::string log_file;              // stdout and stderr, appended
  std::chrono::milliseconds ready_timeout{20000};
  bool ends_with_us = false;            // killed when the thread that started it ends, however it does
  std::vector<std::string> namespaces;  // files for setns(), entered one after the other (hosts.hpp)
};

// Errors: not_found (no such program), timeout, and refused when it ended before it was ready: the reason is what the
// server itself said last.
Result<pid_t> start_daemon(const DaemonOptions& options);

// A program that ends by itself, within the ready time-out. refused when it fails: what it said last.
Result<void> run_to_end(const DaemonOptions& options);

// SIGTERM, then SIGKILL after the grace time. Returns false when it had to be killed.
bool stop_process(pid_t pid, uint64_t started, std::chrono::milliseconds grace);

// The folder of this program's own binary: the servers lie beside it.
std::string program_folder();

}  // namespace pnfs::lab
