// One event as one line of JSON, and back.
#pragma once

#include "common/base/result.hpp"
#include "common/trace/event.hpp"

namespace pnfs::trace {

// Appends the line with its '\n'. Bytes that are not UTF-8 (names and owner strings come from clients) are written as
// \u00XX of the byte, so that every line is valid JSON.
void append_json_line(std::string& out, const Event& event);

// Unknown fields are ignored (a newer writer); a wrong type or another version is an error.
Result<OwnedEvent> parse_json_line(std::string_view line);

}  // namespace pnfs::trace
