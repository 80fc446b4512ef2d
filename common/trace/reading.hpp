// Finished traces: all events of several files, and what can only be seen with all of them side by side.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/trace/event.hpp"

namespace pnfs::trace {

// All events of the files by time. The last line of a file may be cut (its writer was killed); any other line that is
// no event is Errc::corrupt. Errc::io: a file cannot be read.
Result<std::vector<OwnedEvent>> read_files(std::span<const std::string> paths);

// Fills in `cause` of SCSI commands, which the target cannot know: the request of the initiator's node (the end of its
// name behind the last ':') that ran at that time and whose `device` range has the command's bytes; without such a
// range the one request that ran alone. A control call that ran counts as the request that led to it. Events must be in
// order of time.
void find_causes(std::span<OwnedEvent> events);

// A status that says all is well, or none.
bool is_good(std::string_view status);

}  // namespace pnfs::trace
