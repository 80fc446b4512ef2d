// A client that is no kernel of ours: a container, a virtual or real machine, a user-space client. The runner says what
// to run, learns its exit code and output, and judges what the servers saw.
#pragma once

#include "testbed/lab/lab_state.hpp"
#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

// The script of client `number` as a machine of its own runs it: mount, the scenario's script, unmount, its exit code.
std::string external_script(const Scenario& scenario, const lab::LabState& lab, unsigned number);

// Runs options.client_command (through sh, the script as its input) and waits for its end; or, where that is "manual",
// says what to do and reads the exit code from the standard input. An error: it could not be run, or took longer than
// the scenario allows.
Result<ObservedClient> run_external_client(const Scenario& scenario, const RunOptions& options,
                                           const lab::LabState& lab, unsigned number);

}  // namespace pnfs::scenario
