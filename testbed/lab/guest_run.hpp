// From a lab that is up to a guest that reaches it: used by `client` and `quickstart`.
#pragma once

#include "testbed/kernel/guest.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

// The lab's servers and export filled in; everything else is the caller's to set.
kernel::GuestOptions guest_options_for(const LabState& lab);

}  // namespace pnfs::lab
