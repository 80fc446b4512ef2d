#include "mds/layout/layout_hint.hpp"

#include "common/control/striping_rules.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::mds::layout {

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
  if ((body.nflh_care & nfs::NFLH4_CARE_STRIPE_UNIT_SIZE) != 0 && unit != 0 && unit % control::kStripeAlign == 0 &&
      unit <= control::kLargestUnit)
    fmt::format_to(out, "unit={} ", unit);
  if ((body.nflh_care & nfs::NFLH4_CARE_STRIPE_COUNT) != 0 && body.nflh_stripe_count != 0 &&
      body.nflh_stripe_count <= control::kMostStripes)
    fmt::format_to(out, "count={} ", body.nflh_stripe_count);
  if (!words.empty()) words.pop_back();
  return {};
}

}  // namespace pnfs::mds::layout
