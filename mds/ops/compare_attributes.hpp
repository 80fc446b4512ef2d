// What VERIFY and NVERIFY have in common.
#pragma once

#include "mds/ops/ops.hpp"

namespace pnfs::mds {

// Whether the current file has the attributes given, to the byte. Errors: INVAL (a write-only attribute or
// rdattr_error), ATTRNOTSUPP, BADXDR, those of the filehandle; `section` is what the reply's reason cites.
nfs::Status compare_attributes(MdsContext& context, const nfs::fattr4& theirs, std::string_view section, bool& same);

}  // namespace pnfs::mds
