// One scenario played: a lab is brought up, the clients run, the lab goes down, the traces are read.
#pragma once

#include <atomic>
#include <string>

#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {

// What scenarios that run at the same time share: the ports.
class Stage {
 public:
  explicit Stage(uint16_t base_port) : base_port_(base_port) {}

  // The base port of another lab; after many it begins again with the first.
  uint16_t next_base_port();

 private:
  uint16_t base_port_;
  std::atomic<unsigned> labs_ = 0;
};

// An error is what keeps the scenario from being tried; what it showed, good or bad, is observed.
Result<Observed> play(const Scenario& scenario, const RunOptions& options, const std::string& folder, Stage& stage);

// Where client `number` finds the servers.
Result<kernel::GuestOptions> place_client(const RunOptions& options, const lab::LabState& state, unsigned number);
// All clients of the scenario, at once.
Result<void> run_clients(const Scenario& scenario, const RunOptions& options, const lab::LabState& state,
                         HostFaultPlayer& host_faults, const std::string& folder, Observed& observed);

// Played in the lab that runs already, on an empty export. unsupported: that lab is not what the scenario asks for.
Result<Observed> play_here(const Scenario& scenario, const RunOptions& options, const std::string& folder);

}  // namespace pnfs::scenario
