#include "common/control/striping_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pnfs::control {

namespace {

constexpr const char* kRuleNames[] = {"zero", "inode_mask", "inode_modulo"};

}  // namespace

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

uint32_t StripingRecord::first_index_of(uint64_t fileid) const {
  return first_index(first_index_rule, fileid, servers.size(), static_cast<uint32_t>(stripe_indices.size()));
}

std::vector<uint32_t> StripingRecord::indices_of(size_t server) const {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < stripe_indices.size(); ++i)
    if (stripe_indices[i] == server) out.push_back(i);
  return out;
}

StripeSet StripingRecord::set_of(uint64_t fileid, std::vector<uint32_t> indices) const {
  return {.window = {},
          .unit_bytes = unit_bytes,
          .count = static_cast<uint32_t>(stripe_indices.size()),
          .pattern_offset = pattern_offset,
          .first_index = first_index_of(fileid),
          .indices = std::move(indices)};
}

std::string to_text(const StripingRecord& record) {
  nlohmann::json servers = nlohmann::json::array();
  for (const auto& server : record.servers)
    servers.push_back({{"node", server.node}, {"name", server.name}, {"addresses", server.addresses}});
  return nlohmann::json{{"deviceid", record.deviceid},
                        {"servers", std::move(servers)},
                        {"stripe_indices", record.stripe_indices},
                        {"unit_bytes", record.unit_bytes},
                        {"dense", record.dense},
                        {"commit_through_mds", record.commit_through_mds},
                        {"pattern_offset", record.pattern_offset},
                        {"first_index", kRuleNames[static_cast<size_t>(record.first_index_rule)]}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<StripingRecord> parse_striping(std::string_view text) {
  StripingRecord record;
  try {
    const auto json = nlohmann::json::parse(text);
    json.at("deviceid").get_to(record.deviceid);
    for (const auto& each : json.at("servers"))
      record.servers.push_back({each.at("node"), each.at("name"), each.at("addresses")});
    json.at("stripe_indices").get_to(record.stripe_indices);
    json.at("unit_bytes").get_to(record.unit_bytes);
    json.at("dense").get_to(record.dense);
    json.at("commit_through_mds").get_to(record.commit_through_mds);
    json.at("pattern_offset").get_to(record.pattern_offset);
    const auto rule = std::find(std::begin(kRuleNames), std::end(kRuleNames), json.at("first_index").get<std::string>());
    if (rule == std::end(kRuleNames)) return error(Errc::corrupt, "the volume's striping record has an unknown first_index");
    record.first_index_rule = static_cast<FirstIndexRule>(rule - std::begin(kRuleNames));
  } catch (const nlohmann::json::exception& e) {
    return error(Errc::corrupt, "the volume's striping record cannot be read: {}", e.what());
  }
  const bool known = std::all_of(record.stripe_indices.begin(), record.stripe_indices.end(),
                                 [&](uint32_t index) { return index < record.servers.size(); });
  if (record.servers.empty() || record.stripe_indices.empty() || record.unit_bytes == 0 || !known)
    return error(Errc::corrupt, "the volume's striping record contradicts itself");
  return record;
}

}  // namespace pnfs::control
