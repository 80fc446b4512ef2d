// The operations of the MDS that are not shared with data servers. Each stands in its own file, with the RFC section
// and the errors it returns.
#pragma once

#include "common/compound/op_table.hpp"
#include "common/nfs/ops.hpp"
#include "mds/context.hpp"

namespace pnfs::mds {

using nfs::Status;

// ---- names and attributes
Status op_access(MdsContext&, const nfs::ACCESS4args&, nfs::ACCESS4res&);
Status op_create(MdsContext&, const nfs::CREATE4args&, nfs::CREATE4res&);
compound::Answer op_getattr(MdsContext&, const nfs::GETATTR4args&, nfs::GETATTR4res&);
Status op_link(MdsContext&, const nfs::LINK4args&, nfs::LINK4res&);
Status op_lookup(MdsContext&, const nfs::LOOKUP4args&, nfs::LOOKUP4res&);
Status op_lookupp(MdsContext&, nfs::LOOKUPP4res&);
Status op_nverify(MdsContext&, const nfs::NVERIFY4args&, nfs::NVERIFY4res&);
Status op_readdir(MdsContext&, const nfs::READDIR4args&, nfs::READDIR4res&);
Status op_readlink(MdsContext&, nfs::READLINK4res&);
Status op_remove(MdsContext&, const nfs::REMOVE4args&, nfs::REMOVE4res&);
Status op_rename(MdsContext&, const nfs::RENAME4args&, nfs::RENAME4res&);
Status op_secinfo(MdsContext&, const nfs::SECINFO4args&, nfs::SECINFO4res&);
Status op_secinfo_no_name(MdsContext&, const nfs::SECINFO_NO_NAME4args&, nfs::SECINFO_NO_NAME4res&);
io::Task<Status> op_setattr(MdsContext&, const nfs::SETATTR4args&, nfs::SETATTR4res&);
Status op_verify(MdsContext&, const nfs::VERIFY4args&, nfs::VERIFY4res&);

// ---- data
io::Task<Status> op_commit(MdsContext&, const nfs::COMMIT4args&, nfs::COMMIT4res&);
io::Task<Status> op_read(MdsContext&, const nfs::READ4args&, nfs::READ4res&);
io::Task<Status> op_write(MdsContext&, const nfs::WRITE4args&, nfs::WRITE4res&);

// ---- opens, locks, delegations, stateids
io::Task<Status> op_close(MdsContext&, const nfs::CLOSE4args&, nfs::CLOSE4res&);
Status op_delegpurge(MdsContext&, const nfs::DELEGPURGE4args&, nfs::DELEGPURGE4res&);
io::Task<Status> op_delegreturn(MdsContext&, const nfs::DELEGRETURN4args&, nfs::DELEGRETURN4res&);
Status op_free_stateid(MdsContext&, const nfs::FREE_STATEID4args&, nfs::FREE_STATEID4res&);
Status op_get_dir_delegation(MdsContext&, const nfs::GET_DIR_DELEGATION4args&, nfs::GET_DIR_DELEGATION4res&);
Status op_lock(MdsContext&, const nfs::LOCK4args&, nfs::LOCK4res&);
Status op_lockt(MdsContext&, const nfs::LOCKT4args&, nfs::LOCKT4res&);
Status op_locku(MdsContext&, const nfs::LOCKU4args&, nfs::LOCKU4res&);
io::Task<Status> op_open(MdsContext&, const nfs::OPEN4args&, nfs::OPEN4res&);
io::Task<Status> op_open_downgrade(MdsContext&, const nfs::OPEN_DOWNGRADE4args&, nfs::OPEN_DOWNGRADE4res&);
Status op_test_stateid(MdsContext&, const nfs::TEST_STATEID4args&, nfs::TEST_STATEID4res&);
Status op_want_delegation(MdsContext&, const nfs::WANT_DELEGATION4args&, nfs::WANT_DELEGATION4res&);

}  // namespace pnfs::mds
