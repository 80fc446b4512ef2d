// What `pnfslab nodes` and `pnfslab locks` show: anybody may ask, nothing changes.
#include "common/volume/volume.hpp"
#include "mds/control/cluster.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

using namespace std::chrono_literals;

constexpr size_t kLocksInOneAnswer = 256;

ctl_node_state to_wire(NodeState state) {
  switch (state) {
    case NodeState::joining:
      return NODE_JOINING;
    case NodeState::member:
      return NODE_MEMBER;
    case NodeState::lost:
      return NODE_LOST;
    case NodeState::fenced:
      return NODE_FENCED;
    case NodeState::left:
      return NODE_LEFT;
  }
  return NODE_UNKNOWN;
}

}  // namespace

NODESres Cluster::list_nodes(Arena& arena) const {
  NODESres res;
  const auto& superblock = mds_.volume().superblock();
  res.ok.cluster.text = arena.copy(std::string_view(fmt::format("{}:{}", superblock.cluster, superblock.name)));
  res.ok.mds_epoch = mds_.volume().boot_instance();
  res.ok.write_epoch = mds_.volume().write_epoch();
  res.ok.node_lease_ms = static_cast<uint32_t>(members_.lease() / 1ms);
  res.ok.fenced = counters_.fenced;
  res.ok.waited_out = counters_.waited_out;
  std::map<NodeId, uint32_t> held;
  for (const Grant& grant : grants_.snapshot()) ++held[grant.node];
  const auto verdicts = verdicts_.by_node();
  const TimePoint now = mds_.seams().clock.now();

  std::vector<ctl_node> nodes;
  ctl_node self;
  self.name.text = arena.copy(std::string_view(mds_.options().node));
  self.connected = true;
  self.instance = owner_instance_;
  self.reservation_key = mds_.volume().reservation_key();
  self.store_epoch = mds_.seams().store.epoch();
  self.grants = held[kMdsNode];
  nodes.push_back(self);
  for (const auto& [id, node] : members_.all()) {
    ctl_node out;
    out.node_id = id;
    out.name.text = arena.copy(std::string_view(node.name));
    out.state = to_wire(node.state);
    out.connected = node.connection != 0;
    out.draining = node.draining;
    out.instance = node.instance;
    out.reservation_key = node.key;
    out.store_epoch = node.store_epoch;
    const bool leased = node.state == NodeState::member || node.state == NodeState::joining;
    out.lease_left_ms = leased && node.lease_until > now ? static_cast<uint64_t>((node.lease_until - now) / 1ms) : 0;
    out.grants = held[id];
    if (const auto count = verdicts.find(id); count != verdicts.end()) out.verdicts = count->second;
    out.addresses.items = arena.make_array<ctl_address>(node.addresses.size());
    for (size_t i = 0; i < node.addresses.size(); ++i) {
      out.addresses[i].ip.text = arena.copy(std::string_view(node.addresses[i].ip));
      out.addresses[i].port = node.addresses[i].port;
    }
    nodes.push_back(out);
  }
  for (const auto& [id, instance] : unknown_instances_) {
    if (members_.find(id) != nullptr) continue;
    ctl_node out;
    out.node_id = id;
    out.state = NODE_UNKNOWN;
    out.instance = instance;
    if (auto recorded = mds_.catalog().nodes())
      for (const auto& record : *recorded)
        if (record.slot == id) out.name.text = arena.copy(std::string_view(record.name));
    nodes.push_back(out);
  }
  res.ok.nodes.items = arena.make_array<ctl_node>(nodes.size());
  std::copy(nodes.begin(), nodes.end(), res.ok.nodes.items.begin());
  return res;
}

LOCKSres Cluster::list_locks(Arena& arena, const LOCKSargs& args) const {
  LOCKSres res;
  std::vector<Grant> page;
  for (Grant& grant : grants_.snapshot()) {
    if (grant.id <= args.after || (args.fileid != 0 && grant.fileid != args.fileid)) continue;
    if (page.size() == kLocksInOneAnswer) {
      res.ok.more = true;
      break;
    }
    page.push_back(std::move(grant));
  }
  res.ok.locks.items = arena.make_array<ctl_lock>(page.size());
  for (size_t i = 0; i < page.size(); ++i) {
    ctl_lock& out = res.ok.locks[i];
    out.grant_id = page[i].id;
    out.node_id = page[i].node;
    out.fileid = page[i].fileid;
    out.mode = page[i].mode == GrantMode::ex ? GRANT_EX : GRANT_PR;
    out.generation = page[i].generation;
    out.revoking = page[i].revoking;
    out.quarantined = page[i].quarantined;
    out.set = control::to_wire(page[i].set, arena);
  }
  return res;
}

}  // namespace pnfs::mds::cluster
