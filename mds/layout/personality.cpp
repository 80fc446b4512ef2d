#include "mds/layout/personality.hpp"

#include "common/base/config.hpp"

namespace pnfs::mds::layout {

namespace {

constexpr uint32_t kStripeAlign = 4096;  // clients of about Linux 3.2 wanted a multiple of the page size

Personality modern() {
  Personality p;
  // Linux 6.1 before 6.1.178 ignores the stripes of a sparse layout with a single filehandle (fixed by ad7963a78) and
  // sends everything to the first data server; 13.3 allows one filehandle for each as well, and all clients honour that.
  p.one_handle = false;
  return p;
}

Personality dlm_2014() {
  Personality p;
  p.name = "dlm-2014";
  p.grants_rw = false;
  p.rw_refusal =
      "DLM exports grant layouts for READ only: this server's data servers cannot take writes, and the profile says so "
      "before it looks at anything else; RFC 8881 15.1.10.1 lets the client ask again for READ";
  p.stripe_bytes = 1u << 20;  // the server's largest transfer, rounded down to the file system's block
  p.first_index = FirstIndexRule::inode_mask;
  p.offers_layoutcommit = false;
  p.offers_layoutreturn = false;
  p.recalls = false;
  p.checks_stateids_at_ds = false;
  p.devices_from_dlm_line = true;
  return p;
}

Personality local_export() {
  Personality p;
  p.name = "local-export";
  p.stripe_bytes = 64 * 1024;
  p.stripe_count = 1;
  p.commit_thru_mds = true;
  p.layoutcommit_stub = true;
  p.mds_is_the_ds = true;
  return p;
}

Personality spnfs() {
  Personality p;
  p.name = "spnfs";
  p.stripe_bytes = 8192;
  p.first_index = FirstIndexRule::zero;
  return p;
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

Result<void> check_personality(const Personality& p) {
  if (p.stripe_bytes == 0 || p.stripe_bytes % kStripeAlign != 0)
    return error(Errc::invalid, "layout.stripe_bytes {} is not a multiple of {}", p.stripe_bytes, kStripeAlign);
  if (p.pattern_offset % kStripeAlign != 0)
    return error(Errc::invalid, "layout.pattern_offset {} is not a multiple of {}", p.pattern_offset, kStripeAlign);
  if (p.segment_bytes % kStripeAlign != 0)
    return error(Errc::invalid, "layout.segment_bytes {} is not a multiple of {}", p.segment_bytes, kStripeAlign);
  if (p.stripe_count > 4096)
    return error(Errc::invalid, "layout.stripe_count {} is over the 4096 that clients take", p.stripe_count);
  return {};
}

Result<void> read_personality(ConfigReader& reader, Personality& personality) {
  std::string name = personality.name;
  reader.choice("profile", name, personality_names());
  if (name != personality.name) {
    auto made = make_personality(name);
    if (!made) return {};  // choice() has noted it for finish()
    personality = *made;
  }
  reader.value("stripe_bytes", personality.stripe_bytes, 1, 1 << 30);
  reader.value("stripe_count", personality.stripe_count, 0, 4096);
  reader.value("dense", personality.dense);
  reader.value("commit_through_mds", personality.commit_thru_mds);
  reader.value("pattern_offset", personality.pattern_offset);
  reader.value("segment_bytes", personality.segment_bytes);
  reader.value("return_on_close", personality.return_on_close);
  reader.value("one_filehandle", personality.one_handle);
  reader.value("grants_rw", personality.grants_rw);
  reader.value("dlm_keeps_old_tail", personality.keeps_old_dlm_tail);
  reader.value("dlm_prefix_match", personality.dlm_prefix_match);
  std::string rule = personality.first_index == FirstIndexRule::inode_mask     ? "inode-mask"
                     : personality.first_index == FirstIndexRule::inode_modulo ? "inode-modulo"
                                                                           : "zero";
  reader.choice("first_stripe_index", rule, {"zero", "inode-mask", "inode-modulo"});
  personality.first_index = rule == "inode-mask"     ? FirstIndexRule::inode_mask
                        : rule == "inode-modulo" ? FirstIndexRule::inode_modulo
                                                 : FirstIndexRule::zero;
  return check_personality(personality);
}

}  // namespace pnfs::mds::layout
