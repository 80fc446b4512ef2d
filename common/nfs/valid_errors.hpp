// Which errors RFC 8881 allows each operation to return (15.2, 15.3), and where it defines each error (15.1).
#pragma once

#include <span>
#include <string_view>

#include "common/nfs/status.hpp"

namespace pnfs::nfs {

// `op` as in OpInfo::name. Empty for what is not an operation.
std::span<const nfsstat4> valid_errors(std::string_view op);
// NFS4_OK is valid everywhere.
bool is_valid_error(std::string_view op, nfsstat4 error);
// What our servers return beside the RFC's table of an operation, each because the RFC says so elsewhere. `op` "*":
// every operation.
struct ErrorException {
  std::string_view op;
  nfsstat4 error;
  std::string_view section;
  std::string_view why;
};
std::span<const ErrorException> error_exceptions();
// Valid, or an exception.
bool may_return(std::string_view op, nfsstat4 error);
// "15.1.10.1"; "" when the RFC does not define the number.
std::string_view error_section(nfsstat4 error);

}  // namespace pnfs::nfs
