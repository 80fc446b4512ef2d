// What `pnfslab` can do: one file per subcommand (cmd_<name>.cpp), each of which adds itself to the CLI11 application
// with an add_<name> function listed here and in main.cpp.
//
// Exit codes, the same for all: 0 done; 1 it went wrong while running (or the answer is "no"); 2 wrong usage or
// configuration; 125 could not be tried (what `git bisect run` takes as "skip"). `client` returns its command's own.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "common/base/result.hpp"
#include "testbed/lab/guest_run.hpp"

namespace pnfs::cli {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCannotTry = 125;
inline constexpr int kExitInterrupted = 130;

// The chosen subcommand stores its work here while the command line is parsed; main runs it afterwards.
using Action = std::function<int()>;

void add_up(CLI::App& app, Action& action);
void add_down(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_ds(CLI::App& app, Action& action);
void add_dlm_device(CLI::App& app, Action& action);
void add_trace(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_capture(CLI::App& app, Action& action);
void add_mkfs(CLI::App& app, Action& action);
void add_fsck(CLI::App& app, Action& action);
void add_fault(CLI::App& app, Action& action);
void add_exec(CLI::App& app, Action& action);
void add_net(CLI::App& app, Action& action);
void add_network(CLI::App& app, Action& action);
void add_client(CLI::App& app, Action& action);
void add_probe(CLI::App& app, Action& action);
void add_kernel(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_quickstart(CLI::App& app, Action& action);
void add_target(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_bench_target(CLI::App& bench, Action& action);
void add_bench_mds(CLI::App& bench, Action& action);
void add_bench_data(CLI::App& bench, Action& action);
void add_bench_trace(CLI::App& bench, Action& action);
void add_man(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);

// The options of a guest beside servers that are not this machine's lab (PNFSLAB_SERVER in a container).
void add_guest_network(CLI::App& sub, lab::GuestNetwork& network);

// Prints "pnfslab <command>: <reason>" on stderr and returns the exit code that fits the error.
int report(std::string_view command, const Error& problem);

}  // namespace pnfs::cli
