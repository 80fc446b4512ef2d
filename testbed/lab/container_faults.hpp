// Network faults between containers (net_fault.hpp), with what a plain Docker engine offers.
#pragma once

#include "testbed/lab/lab_state.hpp"
#include "testbed/lab/net_fault.hpp"

namespace pnfs::lab {

// Asks the engine at $DOCKER_HOST (unix:///var/run/docker.sock); the project is the one that this container is part of,
// or $COMPOSE_PROJECT_NAME.
Result<void> apply_to_containers(const LabState& lab, const NetFault& fault);

}  // namespace pnfs::lab
