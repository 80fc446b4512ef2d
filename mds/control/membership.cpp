#include "mds/control/membership.hpp"

#include <algorithm>

namespace pnfs::mds::cluster {

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::joining:
      return "joining";
    case NodeState::member:
      return "member";
    case NodeState::lost:
      return "lost";
    case NodeState::fenced:
      return "fenced";
    case NodeState::left:
      return "left";
  }
  return "unknown";
}

Node& Membership::admit(Node node, TimePoint now) {
  Node& held = nodes_[node.id];
  const bool same_life = held.instance == node.instance && held.state == NodeState::member;
  const bool draining = held.draining;
  held = std::move(node);
  held.draining = draining;
  held.state = same_life ? NodeState::member : NodeState::joining;
  held.lease_until = now + lease_;
  return held;
}

bool Membership::renew(NodeId id, uint64_t store_epoch, TimePoint now) {
  Node* node = find(id);
  if (node == nullptr || (node->state != NodeState::member && node->state != NodeState::joining)) return false;
  node->lease_until = now + lease_;
  node->store_epoch = std::max(node->store_epoch, store_epoch);
  return true;
}

void Membership::acknowledge(NodeId id) {
  Node* node = find(id);
  if (node != nullptr && node->state == NodeState::joining) node->state = NodeState::member;
}

std::vector<NodeId> Membership::expire(TimePoint now) {
  std::vector<NodeId> out;
  for (auto& [id, node] : nodes_) {
    if ((node.state == NodeState::member || node.state == NodeState::joining) && node.lease_until <= now) {
      node.state = NodeState::lost;
      out.push_back(id);
    }
  }
  return out;
}

std::optional<TimePoint> Membership::next_expiry() const {
  std::optional<TimePoint> next;
  for (const auto& [id, node] : nodes_) {
    if (node.state != NodeState::member && node.state != NodeState::joining) continue;
    if (!next || node.lease_until < *next) next = node.lease_until;
  }
  return next;
}

void Membership::set_state(NodeId id, NodeState state) {
  if (Node* node = find(id); node != nullptr) node->state = state;
}

void Membership::connection_closed(uint64_t connection) {
  for (auto& [id, node] : nodes_)
    if (node.connection == connection) node.connection = 0;
}

Node* Membership::find(NodeId id) {
  const auto it = nodes_.find(id);
  return it == nodes_.end() ? nullptr : &it->second;
}

const Node* Membership::find(NodeId id) const {
  const auto it = nodes_.find(id);
  return it == nodes_.end() ? nullptr : &it->second;
}

std::vector<const Node*> Membership::usable() const {
  std::vector<const Node*> out;
  for (const auto& [id, node] : nodes_)
    if (node.state == NodeState::member && node.connection != 0) out.push_back(&node);
  return out;
}

}  // namespace pnfs::mds::cluster
