// Component names (RFC 8881 section 14): what may stand in a directory.
#pragma once

#include <string_view>

#include "common/nfs/status.hpp"

namespace pnfs::mds {

// INVAL: empty or not UTF-8; NAMETOOLONG; BADCHAR: '/' or NUL; BADNAME: "." and "..".
nfs::Status check_name(std::string_view name);
// A symlink's text: bounded, not empty, UTF-8, no NUL.
nfs::Status check_link_text(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace pnfs::mds
