#include "mds/layout/devices.hpp"

#include <algorithm>

#include "common/control/striping_rules.hpp"
#include "common/rpc/uaddr.hpp"

namespace pnfs::mds::layout {

namespace {

// FNV-1a, 64 bits: the same on every machine and in every release.
struct Hash {
  uint64_t value = 0xcbf29ce484222325ull;
  void add(std::string_view text) {
    for (const char c : text) value = (value ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
    value = (value ^ 0xff) * 0x100000001b3ull;
  }
  void add(uint64_t number) { add(std::string_view(reinterpret_cast<const char*>(&number), sizeof number)); }
};

void put(std::byte* at, uint64_t value) {
  for (int i = 0; i < 8; ++i) at[i] = static_cast<std::byte>(value >> (56 - 8 * i));
}

}  // namespace

std::vector<uint32_t> Device::indices_of(uint32_t node) const {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < stripe_indices.size(); ++i)
    if (servers[stripe_indices[i]].node == node) out.push_back(i);
  return out;
}

bool Device::uses(uint32_t node) const {
  return std::any_of(servers.begin(), servers.end(), [&](const DataServer& server) { return server.node == node; });
}

std::shared_ptr<const Device> DeviceTable::device_for(std::vector<DataServer> servers, uint32_t stripe_count,
                                                      bool fixed) {
  if (servers.empty()) return nullptr;
  auto device = std::make_shared<Device>();
  device->asked_count = stripe_count;
  const uint64_t fixed_id = 1 + (uint64_t{stripe_count} << 32);  // pnfs-dlm's was 1
  device->stripe_indices = control::stripe_indices(servers.size(), stripe_count);
  Hash hash;
  hash.add(static_cast<uint32_t>(device->stripe_indices.size()));
  for (const DataServer& server : servers) {
    hash.add(server.node);
    if (server.instance != 0) hash.add(server.instance);
    for (const DsAddress& address : server.addresses) {
      hash.add(address.ip);
      hash.add(address.port);
    }
  }
  device->content = hash.value;
  if (const auto it = deleted_.find(hash.value); it != deleted_.end()) hash.add(it->second);
  put(device->id.bytes.data(), volume_id_);
  put(device->id.bytes.data() + 8, fixed ? fixed_id : hash.value);
  device->servers = std::move(servers);
  auto& held = devices_[device->id];
  if (held != nullptr && held->content == device->content) return held;
  ++version_;
  return held = std::move(device);
}

void DeviceTable::forget(const nfs::deviceid4& id) {
  const auto it = devices_.find(id);
  if (it == devices_.end()) return;
  ++deleted_[it->second->content];
  ++version_;
  devices_.erase(it);
}

std::vector<std::shared_ptr<const Device>> DeviceTable::all() const {
  std::vector<std::shared_ptr<const Device>> out;
  for (const auto& [id, device] : devices_) out.push_back(device);
  return out;
}

std::shared_ptr<const Device> DeviceTable::find(const nfs::deviceid4& id) const {
  const auto it = devices_.find(id);
  return it == devices_.end() ? nullptr : it->second;
}

std::vector<nfs::deviceid4> DeviceTable::ids() const {
  std::vector<nfs::deviceid4> out;
  for (const auto& [id, device] : devices_) out.push_back(id);
  return out;
}

nfs::nfsv4_1_file_layout_ds_addr4 device_address(const Device& device, const io::Endpoint& local, Arena& arena) {
  nfs::nfsv4_1_file_layout_ds_addr4 out;
  out.nflda_stripe_indices.items = arena.make_array<uint32_t>(device.stripe_indices.size());
  std::copy(device.stripe_indices.begin(), device.stripe_indices.end(), out.nflda_stripe_indices.items.begin());
  auto lists = arena.make_array<nfs::multipath_list4>(device.servers.size());
  for (size_t s = 0; s < device.servers.size(); ++s) {
    const auto& addresses = device.servers[s].addresses;
    auto list = arena.make_array<nfs::netaddr4>(addresses.size());
    for (size_t a = 0; a < addresses.size(); ++a) {
      boost::system::error_code ec;
      auto ip = boost::asio::ip::make_address(addresses[a].ip, ec);
      if (ec || ip.is_unspecified()) ip = local.address();
      // An IPv4 client on a dual-stack listener is an IPv4 client.
      if (ip.is_v6() && ip.to_v6().is_v4_mapped())
        ip = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, ip.to_v6());
      const io::Endpoint at(ip, addresses[a].port != 0 ? addresses[a].port : local.port());
      list[a].na_r_netid.text = arena.copy(rpc::netid_of(at));
      list[a].na_r_addr.text = arena.copy(std::string_view(rpc::to_uaddr(at)));
    }
    lists[s].items = list;
  }
  out.nflda_multipath_ds_list.items = lists;
  return out;
}

}  // namespace pnfs::mds::layout
