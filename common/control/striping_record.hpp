// The striping that layouts name now, as the MDS leaves it in the catalog (setting kStripingSetting), so that whoever
// reads the volume while no server runs can tell which bytes which data server serves. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/control/stripe_set.hpp"
#include "common/control/striping_rules.hpp"

namespace pnfs::control {

inline constexpr char kStripingSetting[] = "layout.striping";

struct StripingRecord {
  struct Server {
    uint32_t node = 0;
    std::string name;
    std::vector<std::string> addresses;
    bool operator==(const Server&) const = default;
  };
  std::string deviceid;  // hexadecimal; empty: that of a file with rules of its own, which nobody wrote down
  std::vector<Server> servers;
  std::vector<uint32_t> stripe_indices;  // into servers
  StripingRules rules;                   // of them: unit, packing, commit, pattern, first index, filehandles
  bool operator==(const StripingRecord&) const = default;

  // Of a file with rules of its own (words of striping_rules.hpp, as its inode keeps them). Those that do not fit are
  // passed over, as the MDS does.
  StripingRecord with(std::string_view words) const;

  uint32_t first_index_of(uint64_t fileid) const;
  // The stripe indices that one server (its place in `servers`) serves.
  std::vector<uint32_t> indices_of(size_t server) const;
  // The whole file's bytes in these stripe indices.
  StripeSet set_of(uint64_t fileid, std::vector<uint32_t> indices) const;
};

std::string to_text(const StripingRecord& record);  // JSON
// corrupt: no record, or one that makes no sense.
Result<StripingRecord> parse_striping(std::string_view text);

}  // namespace pnfs::control
