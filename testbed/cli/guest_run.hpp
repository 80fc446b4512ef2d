// From a lab that is up to a guest that reaches it: used by `client` and `quickstart`.
#pragma once

#include "testbed/cli/lab_state.hpp"
#include "testbed/kernel/guest.hpp"

namespace pnfs::cli {

// The lab's servers and export filled in; everything else is the caller's to set.
kernel::GuestOptions guest_options_for(const LabState& lab);

}  // namespace pnfs::cli
