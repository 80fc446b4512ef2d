// A running metadata server for those who look (common/live/LIVE.md): its tables, its metrics, and the orders that the
// control socket and the FUSE view's control/ take beside fault rules.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace pnfs::live {
class Desk;
class Metrics;
}  // namespace pnfs::live

namespace pnfs::mds {

class Mds;

// The server must be started and outlive the desk.
void add_tables(Mds& mds, live::Desk& desk);
void add_metrics(Mds& mds, live::Metrics& metrics);

// "control WORDS"; what cannot be obeyed is invalid and says why:
//   control pnfs_dlm_device [LINE]         the lines in force; the 2014 line
//   control recall layouts|delegations [FILE] | fsid | all | slots COUNT
//   control grace [end]                    how it stands; ends it
bool is_control(std::string_view text);
Result<std::string> control(Mds& mds, std::string_view text);

}  // namespace pnfs::mds
