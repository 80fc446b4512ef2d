#include "common/session/types.hpp"

#include <fmt/format.h>

#include "common/base/append.hpp"

namespace pnfs::session {

std::string to_string(const SessionId& id) {
  std::string text;
  text.reserve(2 * id.bytes.size());
  append_hex(text, id.bytes);
  return text;
}

std::string to_string(const Principal& principal) {
  switch (principal.flavor) {
    case nfs::kFlavorNone:
      return "anonymous";
    case nfs::kFlavorSys: {
      std::string text = "uid=";
      append_number(text, principal.uid);
      text += " gid=";
      append_number(text, principal.gid);
      return text;
    }
    default:
      return fmt::format("flavor={}", principal.flavor);
  }
}

std::string_view to_string(Removed why) {
  switch (why) {
    case Removed::destroyed:
      return "destroyed by the client";
    case Removed::replaced:
      return "replaced by a newer incarnation";
    case Removed::collision:
      return "owner string taken over by another principal";
    case Removed::expired:
      return "lease expired";
    case Removed::unconfirmed:
      return "never confirmed";
  }
  return "unknown";
}

}  // namespace pnfs::session
