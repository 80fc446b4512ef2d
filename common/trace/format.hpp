// One event as one line for people.
#pragma once

#include <string>

#include "common/trace/event.hpp"

namespace pnfs::trace {

struct FormatOptions {
  bool colours = false;  // ANSI, for a terminal
  bool date = false;     // before the time
  int utc_offset_minutes = 0;
};

//   14:02:07.000123 mds    LAYOUTGET          RW 0+all /dir/file  NFS4ERR_BADIOMODE: this export ... [15.1.10.1]  312us
// No newline at the end. Control characters in texts from outside are shown as '?'.
std::string format_line(const Event& event, const FormatOptions& options = {});

}  // namespace pnfs::trace
