// What fault rules ask of the metadata server as a whole.
#pragma once

#include "common/fault/injector.hpp"
#include "mds/state/stateid.hpp"

namespace pnfs::mds {

class Mds;

// recall layouts|delegations [FILE], of one file or all; recall fsid|all, recall slots COUNT and notify change|delete,
// to every client: sends the callbacks.
void recall(Mds& mds, const fault::NodeAction& action);

}  // namespace pnfs::mds
