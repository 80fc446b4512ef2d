#include "common/base/result.hpp"

namespace pnfs {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid:
      return "invalid";
    case Errc::not_found:
      return "not found";
    case Errc::exists:
      return "exists";
    case Errc::busy:
      return "busy";
    case Errc::no_space:
      return "no space";
    case Errc::too_large:
      return "too large";
    case Errc::io:
      return "I/O error";
    case Errc::timeout:
      return "timed out";
    case Errc::closed:
      return "closed";
    case Errc::refused:
      return "refused";
    case Errc::fenced:
      return "fenced";
    case Errc::protocol:
      return "protocol error";
    case Errc::corrupt:
      return "corrupt";
    case Errc::unsupported:
      return "unsupported";
    case Errc::permission:
      return "permission denied";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace pnfs
