// The operations of a data server beside the shared ones (RFC 8881 13.6).
#pragma once

#include "common/nfs/ops.hpp"
#include "ds/ds.hpp"

namespace pnfs::ds {

io::Task<nfs::Status> op_read(DsContext& context, const nfs::READ4args& args, nfs::READ4res& res);
io::Task<nfs::Status> op_write(DsContext& context, const nfs::WRITE4args& args, nfs::WRITE4res& res);
io::Task<nfs::Status> op_commit(DsContext& context, const nfs::COMMIT4args& args, nfs::COMMIT4res& res);
nfs::Status op_secinfo_no_name(DsContext& context, const nfs::SECINFO_NO_NAME4args& args,
                               nfs::SECINFO_NO_NAME4res& res);

}  // namespace pnfs::ds
