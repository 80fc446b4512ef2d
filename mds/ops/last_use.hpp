// How the operations that end or narrow a stateid begin.
#pragma once

#include "mds/ops/ops.hpp"

namespace pnfs::mds {

// The stateid as given, resolved (8.2.3) and found to belong to the current file and the client; then no data server
// honours it any more, so that the reply never tells of an end that has not come. On success `file` and `stateid` are
// set. Errors: those of the filehandle, BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, DELEG_REVOKED; DELAY: a data server
// has not let go of the stateid.
io::Task<nfs::Status> end_use_at_data_servers(MdsContext& context, const nfs::stateid4& given, state::FileId& file,
                                              nfs::stateid4& stateid);

}  // namespace pnfs::mds
