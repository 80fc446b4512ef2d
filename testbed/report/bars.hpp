// Lifetimes, from the events that begin and end them.
#pragma once

#include "testbed/report/lanes.hpp"

namespace pnfs::report {

using FileNames = std::map<uint64_t, std::string>;

// `times`: microseconds of each event since the first, side by side with `events`.
std::vector<Bar> make_bars(std::span<const trace::OwnedEvent> events, std::span<const int64_t> times,
                           const Lanes& lanes, const FileNames& names);

std::string file_text(const trace::OwnedEvent& event, const FileNames& names);

}  // namespace pnfs::report
