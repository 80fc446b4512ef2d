// What a client call ends with: a value, or who said no and how.
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>

#include "common/base/result.hpp"
#include "common/nfs/numbers.hpp"
#include "common/nfs/status.hpp"

namespace pnfs::client {

struct Failure {
  // NFS4_OK: the server did not answer at all, or nothing readable; `transport` says what happened.
  nfs::nfsstat4 status = nfs::NFS4_OK;
  nfs::nfs_opnum4 op = nfs::OP_ILLEGAL;  // the operation that failed
  Error transport;

  bool is(nfs::nfsstat4 other) const { return status == other && status != nfs::NFS4_OK; }
};

// "LAYOUTGET: NFS4ERR_BADIOMODE" or the transport's sentence.
std::string to_string(const Failure& failure);
// For callers that only report it.
inline Error to_error(const Failure& failure) {
  return error(Errc::io, "{}", to_string(failure));
}

[[noreturn]] inline void throw_exception_from_error(const Failure& f, const boost::source_location&) {
  throw std::logic_error("value() of a failed Outcome: " + to_string(f));
}

template <class T = void>
using Outcome = boost::system::result<T, Failure>;

}  // namespace pnfs::client
