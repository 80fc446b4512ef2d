// What the volume tells of layouts while no server runs (control::StripingRecord).
#include "mds/layout/record_striping.hpp"

#include "common/control/striping_record.hpp"
#include "common/volume/catalog.hpp"

namespace pnfs::mds::layout {

namespace {

control::StripingRecord record_of(const Personality& personality, const FileStriping& striping) {
  control::StripingRecord record;
  record.rules = personality.striping;
  record.stripe_indices = control::stripe_indices(striping.device->servers.size(), record.rules.stripe_count);
  const bool same_device = record.stripe_indices == striping.device->stripe_indices;
  for (const std::byte b : striping.device->id.bytes) record.deviceid += fmt::format("{:02x}", static_cast<unsigned>(b));
  for (const DataServer& server : striping.device->servers) {
    record.servers.push_back({server.node, server.name, {}});
    for (const DsAddress& at : server.addresses)
      record.servers.back().addresses.push_back(fmt::format("{}:{}", at.ip.empty() ? "*" : at.ip, at.port));
  }
  if (!same_device) record.deviceid.clear();
  return record;
}

}  // namespace

void record_striping(volume::Catalog& catalog, const Personality& personality, const FileStriping& striping,
                     bool own_rules) {
  const std::string text = control::to_text(record_of(personality, striping));
  const auto there = catalog.setting(control::kStripingSetting);
  if (there && *there && (own_rules || **there == text)) return;
  // For people who look, not for correctness: when it cannot be kept now, the next layout tries again.
  (void)catalog.set_setting(control::kStripingSetting, text);
}

}  // namespace pnfs::mds::layout
