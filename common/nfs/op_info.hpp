// What an operation number means: name, RFC section, and the descriptors of its arguments and results. Dispatcher,
// client, trace, fault rules and tests all look operations up here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/nfs/numbers.hpp"
#include "common/nfs/status.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::nfs {

struct OpInfo {
  uint32_t number;
  std::string_view name;     // without "OP_": "LAYOUTGET", "CB_LAYOUTRECALL"
  std::string_view section;  // of RFC 8881
  const xdr::TypeInfo* args;
  const xdr::TypeInfo* res;
  // NFSv4.0 only: NFS4ERR_NOTSUPP in NFSv4.1
  bool retired = false;
  // The status of a result; its first word whatever the operation.
  static nfsstat4 status_of(const void* res) { return *static_cast<const nfsstat4*>(res); }
  static void set_status(void* res, nfsstat4 status) { *static_cast<nfsstat4*>(res) = status; }
};

// In ascending order of numbers, ILLEGAL last.
std::span<const OpInfo> operations();
std::span<const OpInfo> callbacks();

// nullptr for a number or name that is not an operation. Names with or without "OP_", in any case.
const OpInfo* find_op(uint32_t number);
const OpInfo* find_callback(uint32_t number);
const OpInfo* find_op(std::string_view name);
const OpInfo* find_callback(std::string_view name);

// "LAYOUTGET"; for a number without a name "OP_4242".
std::string op_name(uint32_t number);
std::string callback_name(uint32_t number);

}  // namespace pnfs::nfs
