// Shell-like patterns for names and paths in filters and fault rules.
#pragma once

#include <string_view>

namespace pnfs {

// '*' stands for any characters ('/' too), '?' for one; everything else for itself. The whole text must match. Linear
// in the text for each '*' of the pattern, without recursion.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace pnfs
