// Component names (RFC 8881 section 14): what may stand in a directory.
#pragma once

#include <string_view>

#include "common/nfs/status.hpp"
#include "common/volume/types.hpp"

namespace pnfs::volume {
class Catalog;
}

namespace pnfs::mds {

// INVAL: empty or not UTF-8; NAMETOOLONG; BADCHAR: '/' or NUL; BADNAME: "." and "..".
nfs::Status check_name(std::string_view name);
// A symlink's text: bounded, not empty, no NUL. Its bytes are the client's business.
nfs::Status check_link_text(std::string_view text);

// The file that a path from the root leads to; 0 when there is none.
volume::FileId find_path(volume::Catalog& catalog, std::string_view path);

}  // namespace pnfs::mds
