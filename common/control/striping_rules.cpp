#include "common/control/striping_rules.hpp"

#include <charconv>

namespace pnfs::control {

namespace {

// One of `names` by its place, or false.
template <class Enum>
bool pick(std::string_view value, std::initializer_list<std::pair<std::string_view, Enum>> names, Enum& out) {
  for (const auto& [name, choice] : names) {
    if (name != value) continue;
    out = choice;
    return true;
  }
  return false;
}

bool set_number(std::string_view value, uint64_t most, auto& out) {
  uint64_t number = 0;
  if (!parse_bytes(value, number) || number > most) return false;
  out = static_cast<std::remove_reference_t<decltype(out)>>(number);
  return true;
}

}  // namespace

bool parse_bytes(std::string_view text, uint64_t& out) {
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return false;
  const std::string_view unit(end, text.data() + text.size());
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (shift < 0 || number > (UINT64_MAX >> shift)) return false;
  out = number << shift;
  return true;
}

uint32_t first_index(FirstIndexRule rule, uint64_t fileid, size_t servers, uint32_t stripe_count) {
  switch (rule) {
    case FirstIndexRule::zero:
      break;
    case FirstIndexRule::inode_mask:
      // pnfs-dlm's arithmetic: right only when the number of servers is a power of two.
      return static_cast<uint32_t>(fileid & (servers - 1)) % stripe_count;
    case FirstIndexRule::inode_modulo:
      return static_cast<uint32_t>(fileid % stripe_count);
  }
  return 0;
}

std::vector<uint32_t> stripe_indices(size_t servers, uint32_t stripe_count) {
  std::vector<uint32_t> out(stripe_count == 0 ? servers : stripe_count);
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint32_t>(i % servers);
  return out;
}

Result<bool> apply_word(StripingRules& rules, std::string_view word) {
  const size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::string_view value = equals == word.npos ? std::string_view{} : word.substr(equals + 1);
  bool good = false;
  std::string_view what;
  if (key == "unit") {
    what = "a multiple of 4K up to 1G";
    good = set_number(value, kLargestUnit, rules.stripe_bytes);
  } else if (key == "count") {
    what = "a number of stripes up to 4096, 0 for one on each data server";
    good = set_number(value, kMostStripes, rules.stripe_count);
  } else if (key == "packing") {
    what = "sparse or dense";
    good = pick(value, {{"sparse", false}, {"dense", true}}, rules.dense);
  } else if (key == "commit") {
    what = "ds or mds";
    good = pick(value, {{"ds", false}, {"mds", true}}, rules.commit_thru_mds);
  } else if (key == "first") {
    what = "zero, inode-mask or inode-modulo";
    good = pick(value,
                {{"zero", FirstIndexRule::zero},
                 {"inode-mask", FirstIndexRule::inode_mask},
                 {"inode-modulo", FirstIndexRule::inode_modulo}},
                rules.first_index);
  } else if (key == "pattern") {
    what = "a multiple of 4K";
    good = set_number(value, UINT64_MAX >> 1, rules.pattern_offset);
  } else if (key == "segment") {
    what = "a multiple of 4K, 0 for the whole file";
    good = set_number(value, UINT64_MAX >> 1, rules.segment_bytes);
  } else if (key == "segments") {
    what = "a number from 1 to 64";
    good = set_number(value, 64, rules.segments) && rules.segments != 0;
  } else if (key == "filehandles") {
    what = "none, one or each";
    good = pick(value, {{"none", HandleRule::none}, {"one", HandleRule::one}, {"each", HandleRule::each}}, rules.handles);
  } else if (key == "return-on-close") {
    what = "yes or no";
    good = pick(value, {{"yes", true}, {"no", false}}, rules.return_on_close);
  } else {
    return false;
  }
  if (!good) return error(Errc::invalid, "'{}': {} must be {}", word, key, what);
  return true;
}

Result<void> apply_words(StripingRules& rules, std::string_view words) {
  StripingRules changed = rules;
  auto done = for_each_word(words, [&](std::string_view word) -> Result<void> {
    auto known = apply_word(changed, word);
    if (!known) return known.error();
    if (!*known)
      return error(Errc::invalid,
                   "'{}' is no word of striping; those are unit, count, packing, commit, first, pattern, segment, "
                   "segments, filehandles, return-on-close, each with =value",
                   word);
    return {};
  });
  if (done) done = check_rules(changed);
  if (done) rules = changed;
  return done;
}

Result<void> check_rules(const StripingRules& r) {
  if (r.stripe_bytes == 0 || r.stripe_bytes % kStripeAlign != 0)
    return error(Errc::invalid, "striping: unit {} is not a multiple of {}", r.stripe_bytes, kStripeAlign);
  if (r.pattern_offset % kStripeAlign != 0)
    return error(Errc::invalid, "striping: pattern {} is not a multiple of {}", r.pattern_offset, kStripeAlign);
  if (r.segment_bytes % kStripeAlign != 0)
    return error(Errc::invalid, "striping: segment {} is not a multiple of {}", r.segment_bytes, kStripeAlign);
  if (r.dense && r.handles == HandleRule::none)
    return error(Errc::invalid, "striping: dense packing needs a filehandle for each stripe (RFC 8881 13.3), not none");
  return {};
}

}  // namespace pnfs::control
