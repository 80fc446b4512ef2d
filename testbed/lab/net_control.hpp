// Network faults (net_fault.hpp) brought about in a lab whose servers are hosts of `up --topology hosts`, or containers
// of docker-compose.yml. Faults of processes (pause, kill, start) work in any lab.
#pragma once

#include "testbed/lab/lab_state.hpp"
#include "testbed/lab/net_fault.hpp"

namespace pnfs::lab {

// Done when it returns: what is sent from then on meets the fault. Faults add up until `heal`.
Result<void> apply(LabState& lab, const NetFault& fault);

}  // namespace pnfs::lab
