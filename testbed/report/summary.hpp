// What a run comes down to: bytes, errors, and what clients did about them.
#pragma once

#include "testbed/report/bars.hpp"

namespace pnfs::report {

void summarize(Run& run, const Lanes& lanes, const FileNames& names);

}  // namespace pnfs::report
