#include "mds/options.hpp"

namespace pnfs::mds {

std::string_view to_string(Profile profile) {
  switch (profile) {
    case Profile::modern:
      return "modern";
    case Profile::dlm_2014:
      return "dlm-2014";
    case Profile::local_export:
      return "local-export";
    case Profile::spnfs:
      return "spnfs";
  }
  return "unknown";
}

std::optional<Profile> profile_from(std::string_view name) {
  for (Profile profile : {Profile::modern, Profile::dlm_2014, Profile::local_export, Profile::spnfs}) {
    if (to_string(profile) == name) return profile;
  }
  return std::nullopt;
}

}  // namespace pnfs::mds
