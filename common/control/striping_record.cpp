#include "common/control/striping_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pnfs::control {

namespace {

constexpr const char* kRuleNames[] = {"zero", "inode_mask", "inode_modulo"};
constexpr const char* kHandleNames[] = {"none", "one", "each"};

// Throws nlohmann's out_of_range, as at() does, for a name that is none of them.
template <class Enum, size_t N>
Enum named(const char* const (&names)[N], const std::string& name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  throw nlohmann::json::out_of_range::create(403, "unknown value '" + name + "'", nullptr);
}

}  // namespace

StripingRecord StripingRecord::with(std::string_view words) const {
  StripingRecord out = *this;
  const auto recorded = static_cast<uint32_t>(stripe_indices.size());
  out.rules.stripe_count = recorded;
  if (!apply_words(out.rules, words)) return *this;
  if (out.rules.stripe_count != recorded) {
    out.stripe_indices = control::stripe_indices(servers.size(), out.rules.stripe_count);
    if (out.stripe_indices != stripe_indices) out.deviceid.clear();
  }
  out.rules.stripe_count = rules.stripe_count;
  return out;
}

uint32_t StripingRecord::first_index_of(uint64_t fileid) const {
  return first_index(rules.first_index, fileid, servers.size(), static_cast<uint32_t>(stripe_indices.size()));
}

std::vector<uint32_t> StripingRecord::indices_of(size_t server) const {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < stripe_indices.size(); ++i)
    if (stripe_indices[i] == server) out.push_back(i);
  return out;
}

StripeSet StripingRecord::set_of(uint64_t fileid, std::vector<uint32_t> indices) const {
  return {.window = {},
          .unit_bytes = rules.stripe_bytes,
          .count = static_cast<uint32_t>(stripe_indices.size()),
          .pattern_offset = rules.pattern_offset,
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
                        {"unit_bytes", record.rules.stripe_bytes},
                        {"dense", record.rules.dense},
                        {"commit_through_mds", record.rules.commit_thru_mds},
                        {"pattern_offset", record.rules.pattern_offset},
                        {"first_index", kRuleNames[static_cast<size_t>(record.rules.first_index)]},
                        {"filehandles", kHandleNames[static_cast<size_t>(record.rules.handles)]}}
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
    StripingRules& rules = record.rules;
    json.at("unit_bytes").get_to(rules.stripe_bytes);
    json.at("dense").get_to(rules.dense);
    json.at("commit_through_mds").get_to(rules.commit_thru_mds);
    json.at("pattern_offset").get_to(rules.pattern_offset);
    rules.first_index = named<FirstIndexRule>(kRuleNames, json.at("first_index"));
    rules.handles = named<HandleRule>(kHandleNames, json.value("filehandles", "one"));
  } catch (const nlohmann::json::exception& e) {
    return error(Errc::corrupt, "the volume's striping record cannot be read: {}", e.what());
  }
  const bool known = std::all_of(record.stripe_indices.begin(), record.stripe_indices.end(),
                                 [&](uint32_t index) { return index < record.servers.size(); });
  if (record.servers.empty() || record.stripe_indices.empty() || record.rules.stripe_bytes == 0 || !known)
    return error(Errc::corrupt, "the volume's striping record contradicts itself");
  return record;
}

}  // namespace pnfs::control
