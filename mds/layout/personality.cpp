#include "mds/layout/personality.hpp"

namespace pnfs::mds::layout {

namespace {

Personality modern() {
  Personality p;
  // Linux 6.1 before 6.1.178 ignores the stripes of a sparse layout with a single filehandle (fixed by ad7963a78) and
  // sends everything to the first data server; 13.3 allows one filehandle for each as well, and all clients honour that.
  p.striping.handles = HandleRule::each;
  return p;
}

Personality dlm_2014() {
  Personality p;
  p.name = "dlm-2014";
  p.grants_rw = false;
  p.rw_refusal =
      "DLM exports grant layouts for READ only: this server's data servers cannot take writes, and the profile says so "
      "before it looks at anything else; RFC 8881 15.1.10.1 lets the client ask again for READ";
  p.striping.stripe_bytes = 1u << 20;  // the server's largest transfer, rounded down to the file system's block
  p.striping.first_index = FirstIndexRule::inode_mask;
  p.offers_layoutcommit = false;
  p.recalls = false;
  p.checks_stateids_at_ds = false;
  p.device_ids = DeviceIds::fixed;
  p.device_notices = false;
  p.devices_from_dlm_line = true;
  return p;
}

Personality local_export() {
  Personality p;
  p.name = "local-export";
  p.striping.stripe_count = 1;
  p.striping.commit_thru_mds = true;
  p.layoutcommit_stub = true;
  p.mds_is_the_ds = true;
  return p;
}

Personality spnfs() {
  Personality p;
  p.name = "spnfs";
  p.striping.stripe_bytes = 8192;
  return p;
}

bool set_switch(std::string_view value, bool& out) {
  if (value != "yes" && value != "no") return false;
  out = value == "yes";
  return true;
}

Result<void> apply_own_word(Personality& p, std::string_view word) {
  const size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::string_view value = equals == word.npos ? std::string_view{} : word.substr(equals + 1);
  const std::pair<std::string_view, bool*> switches[] = {
      {"rw", &p.grants_rw},
      {"layouts", &p.grants_layouts},
      {"recalls", &p.recalls},
      {"ds-stateid-checks", &p.checks_stateids_at_ds},
      {"device-notices", &p.device_notices},
      {"dlm-keeps-old-tail", &p.dlm_keeps_old_tail},
      {"dlm-prefix-match", &p.dlm_prefix_match},
      {"revoked-until-freed", &p.revoked_until_freed},
  };
  for (const auto& [name, flag] : switches) {
    if (name != key) continue;
    if (!set_switch(value, *flag)) return error(Errc::invalid, "'{}': {} must be yes or no", word, key);
    if (key == "rw" && p.rw_refusal.empty()) p.rw_refusal = "this server is configured to grant layouts for READ only";
    return {};
  }
  if (key == "device-ids" && (value == "content" || value == "instance" || value == "fixed")) {
    p.device_ids = value == "fixed"      ? DeviceIds::fixed
                   : value == "instance" ? DeviceIds::instance
                                         : DeviceIds::content;
    return {};
  }
  if (key == "device-change" && (value == "immediate" || value == "later")) {
    p.device_change_immediate = value == "immediate";
    return {};
  }
  constexpr std::string_view kThresholds[] = {"threshold-read-size", "threshold-write-size", "threshold-read-iosize",
                                              "threshold-write-iosize"};
  for (size_t i = 0; i < p.thresholds.size(); ++i) {
    if (key != kThresholds[i]) continue;
    uint64_t bytes = 0;
    if (!control::parse_bytes(value, bytes)) return error(Errc::invalid, "'{}': {} must be a number of bytes", word, key);
    p.thresholds[i] = bytes;
    return {};
  }
  return error(Errc::invalid, "'{}' is no word of a layout personality; see mds/layout/PERSONALITIES.md", word);
}

}  // namespace

std::vector<std::string_view> personality_names() {
  return {"modern", "dlm-2014", "local-export", "spnfs"};
}

Result<Personality> make_personality(std::string_view name) {
  if (name == "modern") return modern();
  if (name == "dlm-2014") return dlm_2014();
  if (name == "local-export") return local_export();
  if (name == "spnfs") return spnfs();
  return error(Errc::invalid, "profile '{}' is not known; choose one of {}", name, fmt::join(personality_names(), ", "));
}

Result<void> apply_words(Personality& personality, std::string_view words) {
  Personality changed = personality;
  auto done = control::for_each_word(words, [&](std::string_view word) -> Result<void> {
    auto known = apply_word(changed.striping, word);
    if (!known) return known.error();
    return *known ? Result<void>{} : apply_own_word(changed, word);
  });
  if (done) done = check_rules(changed.striping);
  if (done) personality = std::move(changed);
  return done;
}

Result<void> add_directory(Personality& personality, std::string_view text) {
  const size_t blank = text.find(' ');
  const std::string_view path = text.substr(0, blank);
  const std::string_view words = blank == text.npos ? std::string_view{} : text.substr(blank + 1);
  if (!path.starts_with('/') || words.empty())
    return error(Errc::invalid, "'{}': a directory and its striping are expected, \"/dir unit=8K packing=dense\"", text);
  StripingRules rules = personality.striping;
  if (auto good = apply_words(rules, words); !good) return good.error().with_context(path);
  personality.directories.push_back({std::string(path), std::string(words)});
  return {};
}

}  // namespace pnfs::mds::layout
