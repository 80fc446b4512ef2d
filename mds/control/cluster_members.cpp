// Joining, renewing, losing and fencing nodes.
#include "common/rpc/request.hpp"
#include "common/volume/volume.hpp"
#include "mds/control/cluster.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

using namespace std::chrono_literals;

// What a node may still have on the way to the disk when its lease has run out by its own clock.
constexpr Duration kLeaseMargin = 1s;

REGISTERres refuse_registration(rpc::Request& request, control_status status, std::string_view why) {
  REGISTERres res;
  res.status = status;
  res.reason.text = request.arena().copy(why);
  return res;
}

// How far a node wrote under such grants is lost with it, and with that the end of files whose clients send no
// LAYOUTCOMMIT (13.7, COMMIT through the MDS). The write epoch rises before they are forgotten, so that no COMMIT
// vouches for what that node wrote.
bool has_exclusive(const GrantTable& grants, NodeId node) {
  const auto all = grants.snapshot();
  return std::any_of(all.begin(), all.end(), [&](const Grant& g) { return g.node == node && g.mode == GrantMode::ex; });
}

}  // namespace

// A node's name comes back with another instance: what its earlier life may still do must be over first.
io::Task<Result<void>> Cluster::dispose_of_old_life(NodeId id, uint64_t instance, uint64_t key) {
  const Node* old = members_.find(id);
  const TimePoint now = mds_.seams().clock.now();
  uint64_t old_key = 0;
  TimePoint safe_at = now;
  if (old != nullptr && old->instance != instance && old->state != NodeState::fenced && old->state != NodeState::left) {
    if (connection_of(id) != nullptr && old->lease_until > now && old->state != NodeState::lost)
      co_return error(Errc::busy, "node '{}' is already registered by another process that is alive; give this one "
                                  "another --node name",
                      old->name);
    old_key = old->key;
    safe_at = old->lease_until + kLeaseMargin;
  } else if (const auto it = unknown_instances_.find(id); it != unknown_instances_.end() && it->second != instance) {
    auto nodes = mds_.catalog().nodes();
    if (!nodes) co_return nodes.error();
    for (const auto& record : *nodes)
      if (record.slot == id) old_key = record.key;
    safe_at = now + members_.lease() + kLeaseMargin;
    if (old_key == 0) co_return error(Errc::busy, "an earlier life of this node may still write; wait for its lease");
  } else {
    co_return Result<void>{};
  }
  if (old_key != 0 && old_key != key) {
    auto fenced = co_await fence_at_device(old_key);
    if (fenced) safe_at = now;
  }
  if (safe_at > mds_.seams().clock.now())
    co_return error(Errc::busy, "the earlier life of this node has a lease for another {} ms",
                    (safe_at - mds_.seams().clock.now()) / 1ms);
  if (const uint64_t epoch = mds_.volume().write_epoch(); has_exclusive(grants_, id)) {
    co_await raise_write_epoch();
    if (mds_.volume().write_epoch() == epoch)
      co_return error(Errc::busy, "the volume's write epoch could not be raised yet");
  }
  ++counters_.fenced;
  grants_.forget_node(id);
  verdicts_.forget_node(id);
  unknown_instances_.erase(id);
  members_.set_state(id, NodeState::fenced);
  changed();
  co_return Result<void>{};
}

io::Task<REGISTERres> Cluster::do_register(rpc::Request& request, const REGISTERargs& args) {
  const auto& superblock = mds_.volume().superblock();
  if (args.volume_uuid.bytes != superblock.uuid)
    co_return refuse_registration(request, CTL_REFUSED,
                     fmt::format("this MDS serves volume {}:{}, the data server's store holds another",
                                 superblock.cluster, superblock.name));
  if (args.owner_instance != owner_instance_)
    co_return refuse_registration(request, CTL_REFUSED, "the volume's owner record as the data server reads it is not this MDS's");
  if (args.node.size() == 0) co_return refuse_registration(request, CTL_INVALID, "the node has no name");
  auto slot = mds_.catalog().slot_for(args.node.text);
  if (!slot) co_return refuse_registration(request, CTL_REFUSED, slot.error().reason);
  const NodeId id = *slot;
  const Node* before = members_.find(id);
  const bool same_life = before != nullptr && before->instance == args.instance;
  // Its grants are in quarantine or gone: only a new life, which holds none of them, may join.
  if (same_life && (before->state == NodeState::lost || before->state == NodeState::fenced))
    co_return refuse_registration(request, CTL_NOT_MEMBER, "this life of the node lost its lease; join as a new one");
  const bool lost_session = same_life && args.store_epoch > before->store_epoch;

  auto disposed = co_await dispose_of_old_life(id, args.instance, args.reservation_key);
  if (!disposed)
    co_return refuse_registration(request, disposed.error().code == Errc::busy ? CTL_DELAY : CTL_IO, disposed.error().reason);
  if (request.connection()->closed()) co_return refuse_registration(request, CTL_NOT_MEMBER, "the connection is gone");

  Node node;
  node.id = id;
  node.name = args.node.text;
  node.instance = args.instance;
  node.key = args.reservation_key;
  node.major_id = args.so_major_id.text;
  node.store_epoch = args.store_epoch;
  node.connection = request.connection()->id();
  for (const auto& address : args.addresses)
    node.addresses.push_back({std::string(address.ip.text), static_cast<uint16_t>(address.port)});

  volume::NodeRecord record;
  record.slot = id;
  record.name = node.name;
  record.address = io::to_string(request.connection()->remote());
  record.key = node.key;
  record.instance = node.instance;
  record.epoch = mds_.volume().boot_instance();
  record.last_seen = mds_.seams().clock.wall();
  const uint64_t connection_id = node.connection;
  members_.admit(std::move(node), mds_.seams().clock.now());
  connections_[id] = request.connection();
  request.connection()->on_close([this, connection_id](rpc::Connection&) {
    members_.connection_closed(connection_id);
    std::erase_if(connections_, [&](const auto& entry) { return entry.second->id() == connection_id; });
    hooks_.membership_changed();
    changed();
  });
  // Recorded before it may write: a new MDS must know whom to fence.
  if (auto recorded = co_await record_node(std::move(record)); !recorded)
    co_return refuse_registration(request, recorded.error().code == Errc::busy ? CTL_DELAY : CTL_IO, recorded.error().reason);
  // Lost while it was away: what its next RENEW would have told.
  if (lost_session) co_await raise_write_epoch();

  REGISTERres res;
  res.ok.node_id = id;
  res.ok.mds_epoch = mds_.volume().boot_instance();
  res.ok.write_epoch = mds_.volume().write_epoch();
  res.ok.mds_instance = mds_.volume().boot_instance();
  res.ok.node_lease_ms = static_cast<uint32_t>(members_.lease() / 1ms);
  res.ok.client_lease_ms = static_cast<uint32_t>(mds_.options().lease / 1ms);
  res.ok.takes_mds_handles = hooks_.takes_mds_handles && hooks_.takes_mds_handles();
  res.ok.server_scope.text = request.arena().copy(std::string_view(hooks_.server_scope()));
  co_return res;
}

io::Task<Result<void>> Cluster::record_node(volume::NodeRecord record) {
  uint64_t ticket = 0;
  {
    auto savepoint = mds_.catalog().begin();
    if (!savepoint) co_return savepoint.error();
    if (auto put = mds_.catalog().put_node(record); !put) co_return put.error();
    auto released = savepoint->release();
    if (!released) co_return released.error();
    ticket = *released;
  }
  co_return co_await mds_.volume().durable(ticket);
}

io::Task<STATUSres> Cluster::do_leave(rpc::Request& request, const LEAVEargs& args) {
  STATUSres res;
  std::string why;
  res.status = check_caller(request, args.node_id, args.mds_epoch, why);
  if (res.status != CTL_OK) {
    res.reason.text = request.arena().copy(std::string_view(why));
    co_return res;
  }
  members_.set_state(args.node_id, NodeState::left);
  grants_.forget_node(args.node_id);
  verdicts_.forget_node(args.node_id);
  changed();
  hooks_.membership_changed();
  // A later start of the MDS need not wait for it.
  const Node* node = members_.find(args.node_id);
  volume::NodeRecord record;
  record.slot = args.node_id;
  record.name = node->name;
  record.address = io::to_string(request.connection()->remote());
  record.epoch = mds_.volume().boot_instance();
  record.last_seen = mds_.seams().clock.wall();
  auto recorded = co_await record_node(record);
  if (!recorded) spdlog::warn("node {} left, but that could not be recorded: {}", record.slot, recorded.error().reason);
  co_return res;
}

io::Task<RENEWres> Cluster::do_renew(rpc::Request& request, const RENEWargs& args) {
  RENEWres res;
  const Node* node = members_.find(args.node_id);
  const uint64_t known_epoch = node == nullptr ? 0 : node->store_epoch;
  if (node == nullptr || node->connection != request.connection()->id()) {
    res.status = CTL_NOT_MEMBER;
    res.reason.text = "not registered over this connection";
    co_return res;
  }
  if (args.mds_epoch != mds_.volume().boot_instance()) {
    res.status = CTL_STALE_EPOCH;
    res.reason.text = "the epoch is over";
    co_return res;
  }
  if (!members_.renew(args.node_id, args.store_epoch, mds_.seams().clock.now())) {
    res.status = CTL_NOT_MEMBER;
    res.reason.text = "the lease was lost; register again";
    co_return res;
  }
  if (node->state == NodeState::joining) {
    // It has dropped what it held under any earlier epoch.
    members_.acknowledge(args.node_id);
    unknown_instances_.erase(args.node_id);
    grants_.clear_unknown(args.node_id);
    hooks_.membership_changed();
    changed();
  }
  if (args.store_epoch > known_epoch) co_await raise_write_epoch();
  res.ok.write_epoch = mds_.volume().write_epoch();
  co_return res;
}

// A node lost its device session: writes that any node had not flushed may be gone.
io::Task<void> Cluster::raise_write_epoch() {
  if (raising_epoch_) {
    while (raising_epoch_) co_await wait_change(mds_.seams().clock.now() + 1s);
    co_return;
  }
  raising_epoch_ = true;
  auto raised = co_await mds_.volume().raise_write_epoch();
  raising_epoch_ = false;
  changed();
  if (!raised) spdlog::warn("the volume's write epoch could not be raised: {}", raised.error().reason);
  tasks_.spawn("tell the write epoch", tell_write_epoch());
}

io::Task<void> Cluster::tell_write_epoch() {
  PINGargs args;
  args.mds_epoch = mds_.volume().boot_instance();
  args.write_epoch = mds_.volume().write_epoch();
  std::vector<NodeId> ids;
  for (const Node* node : members_.usable()) ids.push_back(node->id);
  for (const NodeId id : ids) {
    auto connection = connection_of(id);
    if (connection == nullptr) continue;
    auto pinged = co_await call<STATUSres>(connection, CTLPROC_PING, args, members_.lease());
    if (!pinged) spdlog::debug("ping of node {}: {}", id, pinged.error().reason);
  }
}

io::Task<void> Cluster::watch_leases() {
  const Duration step = std::max<Duration>(members_.lease() / 8, 50ms);
  for (;;) {
    co_await mds_.seams().timers.sleep(step);
    const auto lost = members_.expire(mds_.seams().clock.now());
    for (const NodeId id : lost) tasks_.spawn("fence a node", fence(id));
    if (!lost.empty()) hooks_.membership_changed();
  }
}

io::Task<Result<void>> Cluster::fence_at_device(uint64_t key) {
  if (left_out(step::kFence)) co_return Result<void>{};
  co_return co_await mds_.volume().fence(key);
}

io::Task<void> Cluster::fence(NodeId id) {
  const Node* node = members_.find(id);
  if (node == nullptr) co_return;
  const uint64_t key = node->key;
  const uint64_t instance = node->instance;
  spdlog::warn("node {} ({}) did not renew its lease in time; fencing it", id, node->name);
  grants_.quarantine_node(id);
  bool cut_off = false;
  if (key != 0) {
    auto fenced = co_await fence_at_device(key);
    cut_off = static_cast<bool>(fenced);
    if (!fenced) spdlog::warn("node {}: fencing failed: {}; its extents wait for its lease", id, fenced.error().reason);
  }
  // Without a fence the node's own lease check is what stops it; what it had on the way gets time to arrive.
  if (!cut_off) {
    ++counters_.waited_out;
    if (!left_out(step::kQuarantine)) co_await mds_.seams().timers.sleep(members_.lease() + kLeaseMargin);
  }
  for (const uint64_t epoch = mds_.volume().write_epoch(); has_exclusive(grants_, id);) {
    co_await raise_write_epoch();
    if (mds_.volume().write_epoch() != epoch) break;
    co_await mds_.seams().timers.sleep(kLeaseMargin);
  }
  node = members_.find(id);
  if (node == nullptr || node->instance != instance || node->state != NodeState::lost) co_return;
  ++counters_.fenced;
  members_.set_state(id, NodeState::fenced);
  grants_.forget_node(id);
  verdicts_.forget_node(id);
  unknown_instances_.erase(id);
  changed();
  hooks_.membership_changed();
}

Result<void> Cluster::remove(NodeId id) {
  const Node* node = members_.find(id);
  if (node == nullptr) return error(Errc::not_found, "there is no node {}", id);
  if (connection_of(id) != nullptr)
    return error(Errc::busy, "data server '{}' is still connected; end it first", node->name);
  switch (node->state) {
    case NodeState::joining:
    case NodeState::member:
      members_.set_state(id, NodeState::lost);
      tasks_.spawn("fence a node", fence(id));
      [[fallthrough]];
    case NodeState::lost:
      return error(Errc::busy, "data server '{}' is being fenced", node->name);
    case NodeState::fenced:
    case NodeState::left:
      break;
  }
  if (auto erased = mds_.catalog().erase_node(id); !erased && erased.error().code != Errc::not_found) return erased;
  members_.erase(id);
  changed();
  return {};
}

// A node that was recorded before this start and has not come back.
io::Task<void> Cluster::end_unknown(NodeId id, uint64_t key) {
  co_await mds_.seams().timers.sleep(members_.lease() + kLeaseMargin);
  if (!unknown_instances_.contains(id)) co_return;
  const Node* node = members_.find(id);
  if (node != nullptr && node->state == NodeState::member) co_return;
  if (key != 0) {
    auto fenced = co_await fence_at_device(key);
    if (!fenced) spdlog::debug("fencing the recorded node {}: {}", id, fenced.error().reason);
  }
  if (unknown_instances_.erase(id) == 0) co_return;
  grants_.clear_unknown(id);
  changed();
}

}  // namespace pnfs::mds::cluster
