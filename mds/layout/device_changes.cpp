// PnfsServer: data servers come, move, drain and go. What becomes of devices and of the layouts that name them, and what
// clients are told: recalls (RFC 8881 12.2.10, 20.3) and CB_NOTIFY_DEVICEID (20.12).
#include <set>

#include "common/nfs/callback.hpp"
#include "common/volume/volume.hpp"
#include "common/xdr/codec.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

namespace {

constexpr uint16_t kNfsPort = 2049;
constexpr uint32_t kUnknownNode = UINT32_MAX;  // a server that the line of 2014 names and that never registered

template <class Notice>
std::span<const std::byte> encode_notice(const Notice& notice, Arena& arena) {
  xdr::Encoder out(arena);
  xdr::encode(out, notice);
  const std::vector<std::byte> bytes = out.flatten();
  return arena.copy(std::span<const std::byte>(bytes));
}

bool is_gone(const cluster::Node& node) {
  return node.state == cluster::NodeState::fenced || node.state == cluster::NodeState::left || node.draining;
}

// The line's addresses, each as the data server that it means: the one that serves there, else the next of those that
// were not told where clients reach them (on one machine all have one address), else one that nobody knows.
std::vector<DataServer> in_order_of(const std::vector<std::string>& line, const std::vector<DataServer>& known) {
  std::vector<DataServer> out;
  std::set<uint32_t> used;
  auto take = [&](const std::string& ip, auto matches) {
    for (const DataServer& server : known) {
      if (used.contains(server.node) || !matches(server)) continue;
      used.insert(server.node);
      const uint16_t port = server.addresses.empty() ? kNfsPort : server.addresses.front().port;
      // A loopback address means nothing to a client elsewhere: where it reaches the MDS, it reaches this machine.
      const bool loopback = ip.starts_with("127.") || ip == "::1";
      out.push_back({server.node, server.name, {{loopback ? std::string() : ip, port}}, server.instance});
      return true;
    }
    return false;
  };
  for (const std::string& ip : line) {
    const bool found = take(ip, [&](const DataServer& s) {
      return std::any_of(s.addresses.begin(), s.addresses.end(), [&](const DsAddress& at) { return at.ip == ip; });
    }) || take(ip, [](const DataServer& s) { return s.addresses.empty() || s.addresses.front().ip.empty(); });
    if (!found) out.push_back({kUnknownNode, ip, {{ip, kNfsPort}}});
  }
  return out;
}

}  // namespace

std::vector<DataServer> PnfsServer::known_servers() const {
  std::vector<DataServer> out;
  if (personality_.mds_is_the_ds) return {{0, "mds", {{"", 0}}}};
  for (const auto& [id, node] : cluster_->members().all())
    if (!is_gone(node))
      out.push_back({id, node.name, node.addresses,
                     personality_.device_ids == DeviceIds::instance ? node.instance : uint64_t{0}});
  const auto line = dlm_.servers_of(mds_.options().disk);
  if (line.empty()) return personality_.devices_from_dlm_line ? std::vector<DataServer>{} : out;
  return in_order_of(line, out);
}

std::vector<DataServer> PnfsServer::servers() const {
  std::vector<DataServer> out = known_servers();
  std::erase_if(out, [&](const DataServer& server) {
    const cluster::Node* node = cluster_->members().find(server.node);
    // Node 0 is this server; one that nobody knows was named by the line and is named on.
    return node != nullptr && (node->state != cluster::NodeState::member || node->connection == 0);
  });
  return out;
}

bool PnfsServer::is_stale(const Device& device) const {
  const auto known = known_servers();
  return std::any_of(device.servers.begin(), device.servers.end(), [&](const DataServer& server) {
    return std::find(known.begin(), known.end(), server) == known.end();
  });
}

bool PnfsServer::current(clientid4 client, FileId file) {
  const auto striping = table_.striping_of(client, file);
  if (striping == nullptr || personality_.device_ids == DeviceIds::fixed || !is_stale(*striping->device)) return true;
  if (personality_.recalls)
    send(table_.recall_file(file, {}, nfs::LAYOUTIOMODE4_ANY, mds_.seams().clock.now(), 0, client));
  return !personality_.recalls;
}

// 12.2.10: a server may recall the layouts that refer to a device whose mapping changes, or notify the clients.
void PnfsServer::devices_changed() {
  if (devices_ == nullptr) return;
  const TimePoint now = mds_.seams().clock.now();
  if (personality_.device_ids != DeviceIds::fixed) {
    if (personality_.recalls)
      send(table_.recall_if([&](const FileStriping& striping) { return is_stale(*striping.device); }, now));
    return;
  }
  for (const auto& old : devices_->all()) {
    const auto changed = is_stale(*old) ? devices_->device_for(servers(), old->asked_count, true) : old;
    if (changed == old || changed == nullptr) continue;
    std::vector<clientid4> told;
    if (personality_.device_notices) told = notices_.for_change(old->id);
    for (const clientid4 client : told)
      tasks_.spawn("device notice", notify(client, {old->id}, false, personality_.device_change_immediate));
    if (!personality_.recalls) continue;
    for (const FileId file : table_.files()) {
      for (const clientid4 client : table_.holders(file)) {
        const auto striping = table_.striping_of(client, file);
        if (striping == nullptr || striping->device != old) continue;
        if (std::find(told.begin(), told.end(), client) != told.end()) continue;
        send(table_.recall_file(file, {}, nfs::LAYOUTIOMODE4_ANY, now, 0, client));
      }
    }
  }
}

// Devices that no layout names and no new one would: who asked is told that they are no more (20.12.3).
void PnfsServer::retire_devices() {
  if (personality_.device_ids == DeviceIds::fixed) return;
  for (const auto& device : devices_->all()) {
    if (table_.any([&](const FileStriping& striping) { return striping.device == device; })) continue;
    if (known_servers() == device->servers) continue;
    if (personality_.device_notices)
      for (const clientid4 client : notices_.for_deletion(device->id))
        tasks_.spawn("device notice", notify(client, {device->id}, true, true));
    notices_.drop_device(device->id);
    devices_->forget(device->id);
  }
}

Result<void> PnfsServer::write_dlm_device(std::string_view line) {
  if (auto taken = dlm_.write(line); !taken) return taken;
  devices_changed();
  if (devices_ == nullptr || personality_.device_ids == DeviceIds::fixed || !personality_.recalls) return {};
  // Also when the same servers are named in another order, or more of them: what was asked for is another striping.
  const auto named = servers();
  send(table_.recall_if([&](const FileStriping& striping) { return striping.device->servers != named; },
                        mds_.seams().clock.now()));
  return {};
}

uint32_t PnfsServer::node_named(std::string_view name) const {
  for (const auto& [id, node] : cluster_->members().all())
    if (node.name == name) return id;
  return 0;
}

Result<void> PnfsServer::drain(std::string_view name, bool draining) {
  cluster::Node* node = cluster_->members().find(node_named(name));
  if (node == nullptr) return error(Errc::not_found, "no data server called '{}' has registered here", name);
  node->draining = draining;
  devices_changed();
  return {};
}

Result<void> PnfsServer::remove(std::string_view name) {
  const uint32_t id = node_named(name);
  if (id == 0) return error(Errc::not_found, "no data server called '{}' has registered here", name);
  auto removed = cluster_->remove(id);
  if (removed) devices_changed();
  return removed;
}

bool PnfsServer::unused(uint32_t node) const {
  return !table_.any([&](const FileStriping& striping) { return striping.device->uses(node); });
}

// ---- notices

nfs::notify_deviceid_bitmap4 PnfsServer::wants_notices(clientid4 client, const nfs::deviceid4& id,
                                                       const nfs::notify_deviceid_bitmap4& wanted) {
  nfs::notify_deviceid_bitmap4 will;
  if (!personality_.device_notices) return will;
  const bool change = wanted.has(nfs::NOTIFY_DEVICEID4_CHANGE);
  const bool deletion = wanted.has(nfs::NOTIFY_DEVICEID4_DELETE);
  notices_.wanted(client, id, change, deletion);
  if (change) will.set(nfs::NOTIFY_DEVICEID4_CHANGE);
  if (deletion) will.set(nfs::NOTIFY_DEVICEID4_DELETE);
  return will;
}

void PnfsServer::notify_devices(clientid4 client, bool gone) {
  if (devices_ != nullptr) tasks_.spawn("device notice", notify(client, devices_->ids(), gone, true));
}

io::Task<void> PnfsServer::notify(clientid4 client, std::vector<nfs::deviceid4> ids, bool gone, bool immediate) {
  Arena arena;
  nfs::CB_NOTIFY_DEVICEID4args args;
  args.cnda_changes.items = arena.make_array<nfs::notify4>(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    nfs::notify4& change = args.cnda_changes[i];
    change.notify_mask.set(gone ? nfs::NOTIFY_DEVICEID4_DELETE : nfs::NOTIFY_DEVICEID4_CHANGE);
    if (gone) {
      change.notify_vals.bytes = encode_notice(nfs::notify_deviceid_delete4{nfs::LAYOUT4_NFSV4_1_FILES, ids[i]}, arena);
    } else {
      change.notify_vals.bytes =
          encode_notice(nfs::notify_deviceid_change4{nfs::LAYOUT4_NFSV4_1_FILES, ids[i], immediate}, arena);
    }
  }
  compound::CallbackOps ops;
  ops.add(nfs::OP_CB_NOTIFY_DEVICEID, args);
  auto answer = co_await mds_.backchannel().call(client, std::move(ops), {});
  if (!answer) spdlog::info("CB_NOTIFY_DEVICEID to client {:#x}: {}", client, answer.error().reason);
}

}  // namespace pnfs::mds::layout
