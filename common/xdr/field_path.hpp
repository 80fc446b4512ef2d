// Paths of field names: "logr_layout[0].lo_iomode".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::xdr {

struct PathStep {
  enum class Kind : uint8_t { name, index, count } kind;
  std::string_view name;
  size_t index = 0;
};

// The next step of `path`, which is advanced past it. nullopt at the end.
Result<std::optional<PathStep>> next_step(std::string_view& path);

// Whether `path` can exist in some value of this type (any arm, any count), and what lies there. What a rule is checked
// with before there is a message. `is_count` is set for "...count".
Result<const TypeInfo*> resolve_path(const TypeInfo& type, std::string_view path, bool* is_count = nullptr);

// The names of every field below `type`, as paths ("logr_resok4.logr_layout[].lo_iomode"): for error messages and
// lists.
std::vector<std::string> all_paths(const TypeInfo& type);

}  // namespace pnfs::xdr
