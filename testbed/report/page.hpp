// The run as one HTML page that needs nothing else: no network, no other file.
#pragma once

#include <string>

#include "testbed/report/run.hpp"

namespace pnfs::report {

std::string to_page(const Run& run);

}  // namespace pnfs::report
