// How files are striped, as rules: those of a volume, of a directory, or of a file by its layout hint (RFC 8881 5.12.4).
// Each overrides the one before it. Plain values, and the words in which people write them and an inode keeps its own.
// Read by the MDS, and by who looks at the volume while no MDS runs.
//
//   unit=64K count=4 packing=dense commit=mds first=inode-modulo pattern=8K segment=1M segments=4 filehandles=each
//   return-on-close=yes
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::control {

inline constexpr uint32_t kStripeAlign = 4096;  // clients of about Linux 3.2 wanted a multiple of the page size
inline constexpr uint64_t kLargestUnit = 1u << 30;
inline constexpr uint32_t kMostStripes = 4096;  // what the Linux client takes

// Which stripe index a file's first unit lies in.
enum class FirstIndexRule : uint8_t {
  zero,
  inode_mask,    // inode AND (servers - 1): what pnfs-dlm did; with 3 servers index 1 is never first
  inode_modulo,  // inode modulo stripe count
};

// Filehandles in a sparse layout (RFC 8881 13.3): none (data servers take the one of OPEN), one for all, one for each.
// Dense packing always has one for each stripe index.
enum class HandleRule : uint8_t { none, one, each };

struct StripingRules {
  uint32_t stripe_bytes = 64 * 1024;  // a multiple of 4096
  uint32_t stripe_count = 0;          // 0: one stripe index for each data server
  bool dense = false;
  bool commit_thru_mds = false;
  FirstIndexRule first_index = FirstIndexRule::zero;
  uint64_t pattern_offset = 0;  // a multiple of 4096; what lies before it has no layout
  uint64_t segment_bytes = 0;   // 0: the whole file in one segment, else a multiple of 4096
  uint32_t segments = 4;        // at most in one reply, when they are cut
  HandleRule handles = HandleRule::one;
  bool return_on_close = false;

  bool operator==(const StripingRules&) const = default;
};

uint32_t first_index(FirstIndexRule rule, uint64_t fileid, size_t servers, uint32_t stripe_count);
// Which server (its place among them) each stripe index lies on. stripe_count 0: one index for each server.
std::vector<uint32_t> stripe_indices(size_t servers, uint32_t stripe_count);

// One word "key=value"; false when the key is none of these. invalid: the value makes no sense.
Result<bool> apply_word(StripingRules& rules, std::string_view word);
// Words apart by blanks or commas. `rules` is changed only when all of them are good.
Result<void> apply_words(StripingRules& rules, std::string_view words);
// Values that contradict each other or that clients do not take.
Result<void> check_rules(const StripingRules& rules);

// "64K", "1M", "4096"; false: no such number.
bool parse_bytes(std::string_view text, uint64_t& out);
// Calls `visit` for each word; stops at the first error.
template <class Visit>
Result<void> for_each_word(std::string_view words, Visit visit) {
  constexpr std::string_view kBetween = " ,\t";
  while (!words.empty()) {
    const size_t begin = words.find_first_not_of(kBetween);
    if (begin == words.npos) break;
    const size_t end = words.find_first_of(kBetween, begin);
    if (Result<void> done = visit(words.substr(begin, end == words.npos ? words.npos : end - begin)); !done) return done;
    words = end == words.npos ? std::string_view{} : words.substr(end);
  }
  return {};
}

}  // namespace pnfs::control
