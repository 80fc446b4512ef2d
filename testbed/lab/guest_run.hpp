// From a lab that is up to a guest that reaches it: used by `client` and `quickstart`.
#pragma once

#include "testbed/kernel/guest.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

// The lab's servers and export, and the guest's number and place, filled in; everything else is the caller's to set.
Result<kernel::GuestOptions> guest_options_for(const LabState& lab, unsigned number);

// Servers that are not a lab of this machine, and the guest's place in their network.
struct GuestNetwork {
  std::string server;         // the MDS: "172.28.2.10:2049"
  std::string guest_address;  // of guest 1: "172.28.2.100/24"; guest 2 has the next one
  std::string interface;      // empty: the one in that network
  std::string gateway;        // empty: none
};
Result<kernel::GuestOptions> guest_options_for(const GuestNetwork& network, unsigned number);

}  // namespace pnfs::lab
