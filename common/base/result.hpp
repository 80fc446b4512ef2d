// Errors as values. A function that can fail returns Result<T>; the Error says what was wrong, where, and, where a
// person can act on it, what to do. Exceptions are kept for what a programmer got wrong.
// Operations of NFSv4.1 have a richer error of their own (nfs::NfsError: nfsstat4, reason, RFC section).
#pragma once

#include <fmt/format.h>

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pnfs {

enum class Errc {
  invalid,      // a value from outside that cannot be right (option, configuration, field)
  not_found,    // the named thing does not exist
  exists,       // it exists already
  busy,         // in use by somebody else; trying later may help
  no_space,     // volume, LUN or table is full
  too_large,    // over a configured limit
  io,           // the device or the system call failed
  timeout,      // no answer within the time given
  closed,       // the peer or we closed the connection; nothing more will come
  refused,      // the peer answered and said no (connection refused, login refused)
  fenced,       // this node lost its right to touch the volume
  protocol,     // the peer broke its protocol
  corrupt,      // stored data contradicts itself
  unsupported,  // known, but not offered here
  permission,   // the system does not let us
  cancelled,    // the owner of the work asked it to stop
};

std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::invalid;
  std::string reason;

  // "reading superblock: " + reason, the code kept.
  Error with_context(std::string_view context) const { return {code, fmt::format("{}: {}", context, reason)}; }
};

template <class... Args>
Error error(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return Error{code, fmt::format(text, std::forward<Args>(args)...)};
}

// Found by boost::system::result when value() is called on a failure: that is a programmer's mistake.
[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
  throw std::logic_error("value() of a failed Result: " + e.reason);
}

template <class T = void>
using Result = boost::system::result<T, Error>;

}  // namespace pnfs
