#include "common/compound/op_table.hpp"

#include <algorithm>
#include <stdexcept>

namespace pnfs::compound {

std::vector<nfs::nfs_opnum4> OpTableBase::forgotten() const {
  std::vector<nfs::nfs_opnum4> missing;
  const auto listed = [](const std::vector<nfs::nfs_opnum4>& list, nfs::nfs_opnum4 op) {
    return std::find(list.begin(), list.end(), op) != list.end();
  };
  for (const nfs::OpInfo& info : nfs::operations()) {
    const auto op = static_cast<nfs::nfs_opnum4>(info.number);
    if (!known(op) || info.retired || table_[op].built() || listed(not_supported_, op)) continue;
    missing.push_back(op);
  }
  return missing;
}

void OpTableBase::check_types(nfs::nfs_opnum4 op, const xdr::TypeInfo* args, const xdr::TypeInfo* result) {
  const nfs::OpInfo* info = nfs::find_op(op);
  if (info == nullptr)
    throw std::logic_error(fmt::format("operation {} has no description", static_cast<uint32_t>(op)));
  const bool args_fit = args == nullptr ? info->args->fields.empty() : args == info->args;
  if (!args_fit || result != info->res) {
    throw std::logic_error(fmt::format("the handler of {} takes {} and gives {}, not {} and {}", info->name,
                                       args == nullptr ? "nothing" : args->name, result->name, info->args->name,
                                       info->res->name));
  }
}

}  // namespace pnfs::compound
