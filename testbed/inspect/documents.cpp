#include "testbed/inspect/documents.hpp"

#include <nlohmann/json.hpp>

#include "testbed/inspect/stripes.hpp"

namespace pnfs::inspect {

using json = nlohmann::ordered_json;

namespace {

json time_json(const WallTime& t) {
  return json{{"seconds", t.seconds}, {"nanoseconds", t.nanoseconds}};
}

json region_json(const volume::Region& r) {
  return json{{"offset", r.offset}, {"length", r.length}};
}

std::string hex_text(uint64_t number) {
  return fmt::format("{:#x}", number);
}

std::string document(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string_view type_name(volume::FileType type) {
  constexpr std::string_view kNames[] = {"",          "regular",          "directory", "block_device", "character_device",
                                         "symlink", "socket", "fifo"};
  return kNames[static_cast<size_t>(type) & 7];
}

// SPC-4, table 60.
std::string_view reservation_name(uint8_t type) {
  switch (type) {
    case 1:
      return "Write Exclusive";
    case 3:
      return "Exclusive Access";
    case 5:
      return "Write Exclusive, Registrants Only";
    case 6:
      return "Exclusive Access, Registrants Only";
    case 7:
      return "Write Exclusive, All Registrants";
    case 8:
      return "Exclusive Access, All Registrants";
    default:
      return "none";
  }
}

}  // namespace

std::string attributes_json(const volume::Inode& i) {
  return document({{"fileid", i.fileid},
                   {"generation", i.generation},
                   {"type", type_name(i.type)},
                   {"mode", fmt::format("{:04o}", i.mode)},
                   {"uid", i.uid},
                   {"gid", i.gid},
                   {"nlink", i.nlink},
                   {"size", i.size},
                   {"space_used", i.space_used},
                   {"change", i.change},
                   {"parent", i.parent},
                   {"symlink_target", i.symlink_target},
                   {"rdev", {i.rdev_major, i.rdev_minor}},
                   {"atime", time_json(i.atime)},
                   {"mtime", time_json(i.mtime)},
                   {"ctime", time_json(i.ctime)},
                   {"btime", time_json(i.btime)}});
}

std::string extents_text(const std::vector<volume::Extent>& extents) {
  std::string text = "file_offset volume_offset length\n";
  for (const volume::Extent& e : extents)
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", e.file_offset, e.volume_offset, e.length);
  return text;
}

std::string layout_json(const volume::Inode& inode, const std::optional<control::StripingRecord>& striping) {
  if (!striping) return document({{"fileid", inode.fileid}, {"type", nullptr}});
  json stripes = json::array();
  for (const StripeFile& stripe : stripe_files(*striping, inode.fileid))
    stripes.push_back({{"name", stripe.name}, {"stripe_indices", stripe.set.indices}, {"size", stripe.size(inode.size)}});
  json servers = json::array();
  for (const auto& server : striping->servers)
    servers.push_back({{"node", server.node}, {"name", server.name}, {"addresses", server.addresses}});
  return document({{"fileid", inode.fileid},
                   {"type", "LAYOUT4_NFSV4_1_FILES"},
                   {"own_rules", inode.layout_hint},
                   {"deviceid", striping->deviceid},
                   {"stripe_unit", striping->rules.stripe_bytes},
                   {"packing", striping->rules.dense ? "dense" : "sparse"},
                   {"commit_through_mds", striping->rules.commit_thru_mds},
                   {"first_stripe_index", striping->first_index_of(inode.fileid)},
                   {"pattern_offset", striping->rules.pattern_offset},
                   {"stripe_indices", striping->stripe_indices},
                   {"servers", std::move(servers)},
                   {"stripes", std::move(stripes)}});
}

std::string superblock_json(const volume::Superblock& s, const volume::OwnerRecord& o) {
  return document({{"version", s.version},
                   {"uuid", volume::to_string(s.uuid)},
                   {"cluster", s.cluster},
                   {"name", s.name},
                   {"node_slots", s.node_slots},
                   {"block_bytes", s.block_bytes},
                   {"allocation_bytes", s.allocation_bytes},
                   {"volume_bytes", s.volume_bytes},
                   {"generation", s.generation},
                   {"write_epoch", s.write_epoch},
                   {"created_seconds", s.created_seconds},
                   {"regions",
                    {{"slots", region_json(s.slots)},
                     {"marks", region_json(s.marks)},
                     {"catalog", region_json(s.catalog)},
                     {"log", region_json(s.log)},
                     {"data", region_json(s.data)}}},
                   {"owner",
                    {{"active", o.active},
                     {"node", o.node},
                     {"pid", o.pid},
                     {"key", hex_text(o.key)},
                     {"heartbeat", o.heartbeat},
                     {"lease_ms", o.lease_ms},
                     {"mounted_seconds", o.mounted_seconds}}}});
}

Result<std::string> nodes_json(volume::Snapshot& picture) {
  auto nodes = picture.catalog().nodes();
  if (!nodes) return nodes.error();
  json list = json::array();
  for (const auto& n : *nodes)
    list.push_back({{"slot", n.slot},
                    {"name", n.name},
                    {"address", n.address},
                    {"key", hex_text(n.key)},
                    {"epoch", n.epoch},
                    {"instance", hex_text(n.instance)},
                    {"fenced", n.fenced},
                    {"last_seen", time_json(n.last_seen)}});
  return document(list);
}

std::string reservations_json(const block::Geometry& geometry, const Result<block::Reservation>& reservation) {
  if (!geometry.persistent_reservations || !reservation) return document({{"offered", false}});
  json keys = json::array();
  for (const uint64_t key : reservation->keys) keys.push_back(hex_text(key));
  return document({{"offered", true},
                   {"generation", reservation->generation},
                   {"type", reservation->holder == 0 && reservation->type == 0 ? "none" : reservation_name(reservation->type)},
                   {"holder", hex_text(reservation->holder)},
                   {"keys", std::move(keys)}});
}

Result<std::string> space_json(volume::Snapshot& picture) {
  const auto space = picture.space();
  if (!space) return space.error();
  return document({{"total_bytes", space->total_bytes},
                   {"free_bytes", space->free_bytes},
                   {"zeroed_bytes", space->zeroed_bytes},
                   {"quarantined_bytes", space->quarantined_bytes}});
}

Result<std::optional<control::StripingRecord>> striping_of(volume::Snapshot& picture, const volume::Inode& inode) {
  if (inode.type != volume::FileType::regular) return std::optional<control::StripingRecord>();
  auto text = picture.catalog().setting(control::kStripingSetting);
  if (!text) return text.error();
  if (!*text) return std::optional<control::StripingRecord>();
  auto record = control::parse_striping(**text);
  if (!record) return record.error();
  return std::optional(record->with(inode.layout_hint));
}

}  // namespace pnfs::inspect
