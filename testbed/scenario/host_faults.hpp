// The [hosts] section of a scenario: what happens to hosts and networks (testbed/lab/net_fault.hpp), and when. A line
// is
//   at start do FAULT                      before the clients boot
//   when output has TEXT do FAULT          as soon as a client has printed that
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "testbed/lab/lab_state.hpp"
#include "testbed/lab/net_fault.hpp"

namespace pnfs::scenario {

struct HostFault {
  unsigned line = 0;    // of the scenario's file
  std::string text;     // as written
  std::string trigger;  // what a client prints; empty: at the start
  lab::NetFault fault;
};
Result<HostFault> parse_host_fault(std::string_view words);

// Brings them about in a lab while its clients run; each acts once, when its turn comes. Safe for several threads.
class HostFaultPlayer {
 public:
  HostFaultPlayer(lab::LabState& state, const std::vector<HostFault>& faults)
      : state_(state), faults_(faults), done_(faults.size()) {}

  Result<void> start();
  // All that one client has printed so far.
  void on_output(const std::string& output);
  // Ends what the faults left: the lab is whole again. The error is the first that a fault met with.
  Result<void> finish();
  // Lines whose turn never came.
  std::vector<unsigned> never_acted() const;

 private:
  void act(size_t i);

  lab::LabState& state_;
  const std::vector<HostFault>& faults_;
  mutable std::mutex mutex_;
  std::vector<bool> done_;
  Result<void> problem_;
};

}  // namespace pnfs::scenario
