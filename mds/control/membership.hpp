// Which data servers belong to the cluster, and until when: what corosync's membership was. Pure: time comes in.
//
// A node is known by its slot on the volume. It is a member while it renews its lease; when the lease runs out it is
// lost, and whoever carries the decisions out fences it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "mds/grants/grant_table.hpp"
#include "mds/layout/devices.hpp"

namespace pnfs::mds::cluster {

enum class NodeState : uint8_t {
  joining,  // registered, has not acknowledged this MDS's epoch yet: gets no grants
  member,
  lost,    // its lease ran out; being fenced
  fenced,  // cannot touch the volume any more
  left,    // stopped in good order
};
std::string_view to_string(NodeState state);

struct Node {
  NodeId id = 0;
  std::string name;
  uint64_t instance = 0;
  uint64_t key = 0;
  std::string major_id;
  std::vector<layout::DsAddress> addresses;
  uint64_t connection = 0;  // 0: none at the moment
  TimePoint lease_until{};
  NodeState state = NodeState::joining;
  uint64_t store_epoch = 0;
  bool draining = false;  // serves what it has, gets no new layouts
};

class Membership {
 public:
  explicit Membership(Duration lease) : lease_(lease) {}
  Duration lease() const { return lease_; }

  // Registers or registers again; addresses and connection are taken over. The lease starts.
  Node& admit(Node node, TimePoint now);
  // False: not registered, or lost since.
  bool renew(NodeId id, uint64_t store_epoch, TimePoint now);
  // Acknowledged the epoch: from now on a member.
  void acknowledge(NodeId id);
  // Nodes whose lease has just run out; they are lost now.
  std::vector<NodeId> expire(TimePoint now);
  std::optional<TimePoint> next_expiry() const;
  void set_state(NodeId id, NodeState state);
  void erase(NodeId id) { nodes_.erase(id); }
  void connection_closed(uint64_t connection);

  Node* find(NodeId id);
  const Node* find(NodeId id) const;
  // Member and connected: may be asked and may be named in layouts. Ascending ids.
  std::vector<const Node*> usable() const;
  const std::map<NodeId, Node>& all() const { return nodes_; }

 private:
  Duration lease_;
  std::map<NodeId, Node> nodes_;
};

}  // namespace pnfs::mds::cluster
