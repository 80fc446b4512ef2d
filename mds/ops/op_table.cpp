#include "mds/ops/op_table.hpp"

#include "mds/layout/ops/ops.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

namespace {

compound::OpTable<MdsContext> make_table() {
  using namespace nfs;
  compound::OpTable<MdsContext> table;
  compound::add_shared_ops(table);
  table.op<OP_ACCESS, op_access>();
  table.op<OP_CLOSE, op_close>();
  table.op<OP_COMMIT, op_commit>();
  table.op<OP_CREATE, op_create>();
  table.op<OP_DELEGPURGE, op_delegpurge>();
  table.op<OP_DELEGRETURN, op_delegreturn>();
  table.op<OP_FREE_STATEID, op_free_stateid>();
  table.op<OP_GETATTR, op_getattr>();
  table.op<OP_GET_DIR_DELEGATION, op_get_dir_delegation>();
  table.op<OP_LINK, op_link>();
  table.op<OP_LOCK, op_lock>();
  table.op<OP_LOCKT, op_lockt>();
  table.op<OP_LOCKU, op_locku>();
  table.op<OP_LOOKUP, op_lookup>();
  table.op<OP_LOOKUPP, op_lookupp>();
  table.op<OP_NVERIFY, op_nverify>();
  table.op<OP_OPEN, op_open>();
  table.op<OP_OPEN_DOWNGRADE, op_open_downgrade>();
  table.op<OP_READ, op_read>();
  table.op<OP_READDIR, op_readdir>();
  table.op<OP_READLINK, op_readlink>();
  table.op<OP_REMOVE, op_remove>();
  table.op<OP_RENAME, op_rename>();
  table.op<OP_SECINFO, op_secinfo>();
  table.op<OP_SECINFO_NO_NAME, op_secinfo_no_name>();
  table.op<OP_SETATTR, op_setattr>();
  table.op<OP_TEST_STATEID, op_test_stateid>();
  table.op<OP_VERIFY, op_verify>();
  table.op<OP_WANT_DELEGATION, op_want_delegation>();
  table.op<OP_WRITE, op_write>();
  layout::add_layout_ops(table);
  // Named attributes are an option that this server does not take (18.17).
  table.not_supported({OP_OPENATTR});
  return table;
}

}  // namespace

const compound::OpTableBase& mds_operations() {
  static const compound::OpTable<MdsContext> table = make_table();
  return table;
}

}  // namespace pnfs::mds
