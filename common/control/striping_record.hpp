// The striping that layouts name now, as the MDS leaves it in the catalog (setting kStripingSetting), so that whoever
// reads the volume while no server runs can tell which bytes which data server serves. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/control/stripe_set.hpp"

namespace pnfs::control {

inline constexpr char kStripingSetting[] = "layout.striping";

// Which stripe index a file's first unit lies in.
enum class FirstIndexRule : uint8_t {
  zero,
  inode_mask,    // inode AND (servers - 1): what pnfs-dlm did; with 3 servers index 1 is never first
  inode_modulo,  // inode modulo stripe count
};
uint32_t first_index(FirstIndexRule rule, uint64_t fileid, size_t servers, uint32_t stripe_count);

struct StripingRecord {
  struct Server {
    uint32_t node = 0;
    std::string name;
    std::vector<std::string> addresses;
    bool operator==(const Server&) const = default;
  };
  std::string deviceid;  // hexadecimal
  std::vector<Server> servers;
  std::vector<uint32_t> stripe_indices;  // into servers
  uint32_t unit_bytes = 0;
  bool dense = false;
  bool commit_through_mds = false;
  uint64_t pattern_offset = 0;
  FirstIndexRule first_index_rule = FirstIndexRule::zero;
  bool operator==(const StripingRecord&) const = default;

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
