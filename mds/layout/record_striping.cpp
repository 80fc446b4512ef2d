// What the volume tells of layouts while no server runs (control::StripingRecord).
#include "mds/layout/record_striping.hpp"

#include "common/control/striping_record.hpp"
#include "common/volume/catalog.hpp"

namespace pnfs::mds::layout {

namespace {

static_assert(static_cast<int>(FirstIndexRule::zero) == static_cast<int>(control::FirstIndexRule::zero));
static_assert(static_cast<int>(FirstIndexRule::inode_mask) == static_cast<int>(control::FirstIndexRule::inode_mask));
static_assert(static_cast<int>(FirstIndexRule::inode_modulo) == static_cast<int>(control::FirstIndexRule::inode_modulo));

control::StripingRecord record_of(const Personality& personality, const FileStriping& striping) {
  control::StripingRecord record;
  for (const std::byte b : striping.device->id.bytes) record.deviceid += fmt::format("{:02x}", static_cast<unsigned>(b));
  for (const DataServer& server : striping.device->servers) {
    record.servers.push_back({server.node, server.name, {}});
    for (const DsAddress& at : server.addresses)
      record.servers.back().addresses.push_back(fmt::format("{}:{}", at.ip.empty() ? "*" : at.ip, at.port));
  }
  record.stripe_indices = striping.device->stripe_indices;
  record.unit_bytes = striping.unit_bytes;
  record.dense = striping.dense;
  record.commit_through_mds = striping.commit_thru_mds;
  record.pattern_offset = striping.pattern_offset;
  record.first_index_rule = static_cast<control::FirstIndexRule>(personality.striping.first_index);
  return record;
}

}  // namespace

void record_striping(volume::Catalog& catalog, const Personality& personality, const FileStriping& striping) {
  const std::string text = control::to_text(record_of(personality, striping));
  const auto there = catalog.setting(control::kStripingSetting);
  if (there && *there == text) return;
  // For people who look, not for correctness: when it cannot be kept now, the next layout tries again.
  (void)catalog.set_setting(control::kStripingSetting, text);
}

}  // namespace pnfs::mds::layout
