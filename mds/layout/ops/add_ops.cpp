#include "mds/layout/ops/ops.hpp"

namespace pnfs::mds::layout {

void add_layout_ops(compound::OpTable<MdsContext>& table) {
  table.op<nfs::OP_LAYOUTGET, op_layoutget>();
  table.op<nfs::OP_LAYOUTCOMMIT, op_layoutcommit>();
  table.op<nfs::OP_LAYOUTRETURN, op_layoutreturn>();
  table.op<nfs::OP_GETDEVICEINFO, op_getdeviceinfo>();
  table.op<nfs::OP_GETDEVICELIST, op_getdevicelist>();
}

}  // namespace pnfs::mds::layout
