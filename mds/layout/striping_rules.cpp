#include "mds/layout/striping_rules.hpp"

#include <charconv>

#include "common/xdr/codec.hpp"

namespace pnfs::mds::layout {

namespace {

constexpr uint32_t kStripeAlign = 4096;  // clients of about Linux 3.2 wanted a multiple of the page size
constexpr uint64_t kLargestUnit = 1u << 30;
constexpr uint32_t kMostStripes = 4096;  // what the Linux client takes

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

nfs::Status words_of_hint(const nfs::layouthint4& hint, std::string& words) {
  words.clear();
  if (hint.loh_type != nfs::LAYOUT4_NFSV4_1_FILES) return {};
  Arena arena;
  xdr::Decoder decoder(hint.loh_body.bytes, arena);
  nfs::nfsv4_1_file_layouthint4 body;
  if (!xdr::decode(decoder, body) || decoder.left() != 0)
    return nfs::fail(nfs::NFS4ERR_BADXDR, "13.3", "the layout hint is no nfsv4_1_file_layouthint4");
  auto out = std::back_inserter(words);
  if ((body.nflh_care & nfs::NFLH4_CARE_DENSE) != 0)
    fmt::format_to(out, "packing={} ", (body.nflh_util & nfs::NFL4_UFLG_DENSE) != 0 ? "dense" : "sparse");
  if ((body.nflh_care & nfs::NFLH4_CARE_COMMIT_THRU_MDS) != 0)
    fmt::format_to(out, "commit={} ", (body.nflh_util & nfs::NFL4_UFLG_COMMIT_THRU_MDS) != 0 ? "mds" : "ds");
  const uint32_t unit = body.nflh_util & nfs::NFL4_UFLG_STRIPE_UNIT_SIZE_MASK;
  if ((body.nflh_care & nfs::NFLH4_CARE_STRIPE_UNIT_SIZE) != 0 && unit != 0 && unit % kStripeAlign == 0 &&
      unit <= kLargestUnit)
    fmt::format_to(out, "unit={} ", unit);
  if ((body.nflh_care & nfs::NFLH4_CARE_STRIPE_COUNT) != 0 && body.nflh_stripe_count != 0 &&
      body.nflh_stripe_count <= kMostStripes)
    fmt::format_to(out, "count={} ", body.nflh_stripe_count);
  if (!words.empty()) words.pop_back();
  return {};
}

}  // namespace pnfs::mds::layout
