// The layout operations (RFC 8881 18.40 to 18.44). Each stands in its own file, with the errors it returns.
#pragma once

#include "common/compound/op_table.hpp"
#include "common/nfs/ops.hpp"
#include "mds/context.hpp"
#include "mds/layout/pnfs_server.hpp"

namespace pnfs::mds::layout {

Status op_layoutget(MdsContext& context, const nfs::LAYOUTGET4args& args, nfs::LAYOUTGET4res& res);
io::Task<Status> op_layoutcommit(MdsContext& context, const nfs::LAYOUTCOMMIT4args& args, nfs::LAYOUTCOMMIT4res& res);
Status op_layoutreturn(MdsContext& context, const nfs::LAYOUTRETURN4args& args, nfs::LAYOUTRETURN4res& res);
Status op_getdeviceinfo(MdsContext& context, const nfs::GETDEVICEINFO4args& args, nfs::GETDEVICEINFO4res& res);
Status op_getdevicelist(MdsContext& context, const nfs::GETDEVICELIST4args& args, nfs::GETDEVICELIST4res& res);

void add_layout_ops(compound::OpTable<MdsContext>& table);

}  // namespace pnfs::mds::layout
