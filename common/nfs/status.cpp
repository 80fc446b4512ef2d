#include "common/nfs/status.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace pnfs::nfs {

namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

}  // namespace

std::string status_name(nfsstat4 status) {
  for (const auto& e : nfsstat4_enumerators)
    if (e.value == status) return std::string(e.name);
  return fmt::format("nfsstat4({})", static_cast<uint32_t>(status));
}

std::optional<nfsstat4> status_from_name(std::string_view name) {
  constexpr std::string_view kPrefix = "NFS4ERR_";
  for (const auto& e : nfsstat4_enumerators) {
    if (same_ignoring_case(e.name, name)) return static_cast<nfsstat4>(e.value);
    if (e.name.starts_with(kPrefix) && same_ignoring_case(e.name.substr(kPrefix.size()), name))
      return static_cast<nfsstat4>(e.value);
  }
  if (same_ignoring_case(name, "OK")) return NFS4_OK;
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (problem != std::errc{} || end != name.data() + name.size() || name.empty()) return std::nullopt;
  return static_cast<nfsstat4>(number);
}

}  // namespace pnfs::nfs
