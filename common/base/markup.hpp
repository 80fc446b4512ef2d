// Text from outside inside XML or HTML, in elements and in quoted attributes.
#pragma once

#include <string>
#include <string_view>

namespace pnfs {

// Control characters but newline and tab, which neither allows, become '?'.
std::string escape_markup(std::string_view text);

}  // namespace pnfs
