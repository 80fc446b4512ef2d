#include "mds/grants/grant_table.hpp"

namespace pnfs::mds {

std::string_view to_string(GrantMode mode) {
  return mode == GrantMode::pr ? "PR" : "EX";
}

std::vector<uint64_t> GrantTable::conflicting(NodeId node, uint64_t fileid, GrantMode mode,
                                              const control::StripeSet& set) const {
  std::vector<uint64_t> found;
  const auto file = files_.find(fileid);
  if (file == files_.end()) return found;
  for (const uint64_t id : file->second.grants) {
    const Grant& held = by_id_.at(id);
    if (held.node == node && !held.quarantined) continue;
    if (mode == GrantMode::pr && held.mode == GrantMode::pr) continue;
    if (held.set.intersects(set)) found.push_back(id);
  }
  return found;
}

bool GrantTable::conflicts(NodeId node, uint64_t fileid, GrantMode mode, const control::StripeSet& set) const {
  return !conflicting(node, fileid, mode, set).empty();
}

GrantTable::Answer GrantTable::request(NodeId node, uint64_t fileid, GrantMode mode, const control::StripeSet& set) {
  Answer answer;
  for (const NodeId other : unknown_)
    if (other != node) answer.blocked_by_unknown = true;
  for (const uint64_t id : conflicting(node, fileid, mode, set)) {
    Grant& held = by_id_.at(id);
    if (!held.revoking && !held.quarantined && held.node != kMdsNode) answer.revoke.push_back({held.node, id});
    held.revoking = true;
  }
  if (answer.blocked_by_unknown || conflicts(node, fileid, mode, set)) return answer;

  // The MDS's own grants live for one I/O each and are never merged.
  if (node != kMdsNode) {
    for (const uint64_t id : files_[fileid].grants) {
      Grant& held = by_id_.at(id);
      if (held.node != node || held.revoking || held.quarantined) continue;
      if (!held.set.same_pattern(set) || held.set.indices != set.indices || !held.set.window.contains(set.window))
        continue;
      if (held.mode == GrantMode::pr && mode == GrantMode::ex) {
        // An upgrade keeps the id only if the whole of what is held can be exclusive.
        if (conflicts(node, fileid, GrantMode::ex, held.set)) continue;
        held.mode = GrantMode::ex;
      }
      ++held.generation;
      answer.granted = &held;
      return answer;
    }
  }

  const uint64_t id = next_id_++;
  files_[fileid].grants.insert(id);
  answer.granted = &(by_id_[id] = Grant{.id = id, .node = node, .fileid = fileid, .mode = mode, .set = set});
  return answer;
}

const Grant* GrantTable::extendable(NodeId node, uint64_t fileid, uint64_t grant_id) {
  const auto it = by_id_.find(grant_id);
  if (it == by_id_.end() || it->second.node != node || it->second.fileid != fileid) return nullptr;
  if (it->second.revoking || it->second.quarantined) return nullptr;
  ++it->second.generation;
  return &it->second;
}

void GrantTable::erase(uint64_t grant_id) {
  const auto it = by_id_.find(grant_id);
  if (it == by_id_.end()) return;
  const auto file = files_.find(it->second.fileid);
  file->second.grants.erase(grant_id);
  if (file->second.grants.empty()) files_.erase(file);
  by_id_.erase(it);
}

bool GrantTable::gone(NodeId node, uint64_t grant_id) {
  const auto it = by_id_.find(grant_id);
  if (it == by_id_.end() || it->second.node != node) return false;
  erase(grant_id);
  return true;
}

void GrantTable::forget_node(NodeId node) {
  unknown_.erase(node);
  std::vector<uint64_t> ids;
  for (const auto& [id, grant] : by_id_)
    if (grant.node == node) ids.push_back(id);
  for (const uint64_t id : ids) erase(id);
}

void GrantTable::quarantine_node(NodeId node) {
  for (auto& [id, grant] : by_id_)
    if (grant.node == node) grant.quarantined = grant.revoking = true;
}

bool GrantTable::is_revoking(NodeId node, uint64_t fileid) const {
  const auto file = files_.find(fileid);
  if (file == files_.end()) return false;
  return std::any_of(file->second.grants.begin(), file->second.grants.end(), [&](uint64_t id) {
    const Grant& grant = by_id_.at(id);
    return grant.node == node && grant.revoking;
  });
}

uint64_t GrantTable::exclusive_at(NodeId node, uint64_t fileid, uint64_t offset) const {
  const auto file = files_.find(fileid);
  if (file == files_.end()) return 0;
  for (const uint64_t id : file->second.grants) {
    const Grant& grant = by_id_.at(id);
    if (grant.node == node && grant.mode == GrantMode::ex && grant.set.contains({offset, offset + 1})) return id;
  }
  return 0;
}

const Grant* GrantTable::find(uint64_t grant_id) const {
  const auto it = by_id_.find(grant_id);
  return it == by_id_.end() ? nullptr : &it->second;
}

std::vector<Grant> GrantTable::snapshot() const {
  std::vector<Grant> out;
  for (const auto& [id, grant] : by_id_) out.push_back(grant);
  return out;
}

}  // namespace pnfs::mds
