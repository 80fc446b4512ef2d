#include "testbed/inspect/documents.hpp"

#include <nlohmann/json.hpp>

namespace pnfs::inspect {

using nlohmann::json;

namespace {

json time_json(const WallTime& t) {
  return json{{"seconds", t.seconds}, {"nanoseconds", t.nanoseconds}};
}

json region_json(const volume::Region& r) {
  return json{{"offset", r.offset}, {"length", r.length}};
}

}  // namespace

std::string attributes_json(const volume::Inode& i) {
  const json j{{"fileid", i.fileid},
               {"generation", i.generation},
               {"type", static_cast<int>(i.type)},
               {"mode", fmt::format("{:04o}", i.mode)},
               {"uid", i.uid},
               {"gid", i.gid},
               {"nlink", i.nlink},
               {"size", i.size},
               {"space_used", i.space_used},
               {"change", i.change},
               {"parent", i.parent},
               {"symlink_target", i.symlink_target},
               {"atime", time_json(i.atime)},
               {"mtime", time_json(i.mtime)},
               {"ctime", time_json(i.ctime)},
               {"btime", time_json(i.btime)}};
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string extents_text(const std::vector<volume::Extent>& extents) {
  std::string text = "file_offset volume_offset length\n";
  for (const volume::Extent& e : extents) text += fmt::format("{} {} {}\n", e.file_offset, e.volume_offset, e.length);
  return text;
}

std::string superblock_json(const volume::Snapshot& picture) {
  const volume::Superblock& s = picture.superblock();
  const volume::OwnerRecord& o = picture.owner();
  const json j{
      {"version", s.version},
      {"uuid", volume::to_string(s.uuid)},
      {"cluster", s.cluster},
      {"name", s.name},
      {"node_slots", s.node_slots},
      {"allocation_bytes", s.allocation_bytes},
      {"volume_bytes", s.volume_bytes},
      {"generation", s.generation},
      {"write_epoch", s.write_epoch},
      {"regions",
       {{"slots", region_json(s.slots)},
        {"marks", region_json(s.marks)},
        {"catalog", region_json(s.catalog)},
        {"log", region_json(s.log)},
        {"data", region_json(s.data)}}},
      {"owner",
       {{"active", o.active}, {"node", o.node}, {"pid", o.pid}, {"heartbeat", o.heartbeat}, {"lease_ms", o.lease_ms}}}};
  return j.dump(2) + "\n";
}

Result<std::string> nodes_json(volume::Snapshot& picture) {
  auto nodes = picture.catalog().nodes();
  if (!nodes) return nodes.error();
  json list = json::array();
  for (const auto& n : *nodes)
    list.push_back({{"slot", n.slot}, {"name", n.name}, {"key", fmt::format("{:x}", n.key)}});
  return list.dump(2) + "\n";
}

std::string space_json(volume::Snapshot& picture) {
  const volume::SpaceReport s = picture.extents().space();
  return json{{"total_bytes", s.total_bytes},
              {"free_bytes", s.free_bytes},
              {"zeroed_bytes", s.zeroed_bytes},
              {"quarantined_bytes", s.quarantined_bytes}}
             .dump(2) +
         "\n";
}

}  // namespace pnfs::inspect
