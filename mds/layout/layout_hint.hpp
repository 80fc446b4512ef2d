// FATTR4_LAYOUT_HINT (RFC 8881 5.12.4, 13.3) as an inode keeps it. Pure.
#pragma once

#include <string>

#include "common/nfs/layout.hpp"
#include "common/nfs/status.hpp"

namespace pnfs::mds::layout {

// The hint in words of common/control/striping_rules.hpp: what this server would not do is left out ("may choose to
// ignore"). Empty for hints of other layout types. BADXDR: the body is malformed.
nfs::Status words_of_hint(const nfs::layouthint4& hint, std::string& words);

}  // namespace pnfs::mds::layout
