#include "common/compound/fault_points.hpp"

#include "common/nfs/op_info.hpp"
#include "common/nfs/valid_errors.hpp"

namespace pnfs::compound {

namespace {

void add_all(fault::Vocabulary& vocabulary, fault::Domain domain, std::span<const nfs::OpInfo> table) {
  for (const nfs::OpInfo& op : table) {
    const auto errors = nfs::valid_errors(op.name);
    vocabulary.add({.domain = domain,
                    .name = std::string(op.name),
                    .section = std::string(op.section),
                    .args = op.args,
                    .res = op.res,
                    .valid_statuses = {errors.begin(), errors.end()}});
  }
  vocabulary.set_statuses(domain, nfs::nfsstat4_enumerators, {"NFS4ERR_", "NFS4_"});
}

}  // namespace

void add_nfs_points(fault::Vocabulary& vocabulary) {
  add_all(vocabulary, fault::Domain::operation, nfs::operations());
  add_all(vocabulary, fault::Domain::callback, nfs::callbacks());
}

}  // namespace pnfs::compound
