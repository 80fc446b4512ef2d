// Device ids and what they stand for: which data servers, in which order, at which addresses (RFC 8881 12.2.10, 13.5).
// Pure.
//
// A device id is made from what it stands for (volume, data servers, stripe indices, configured addresses), so that the
// same id never means two things, not even across restarts of the MDS, and equal devices get equal ids.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/io/stream.hpp"
#include "common/nfs/layout.hpp"

namespace pnfs::mds::layout {

// Where clients reach a data server. Without an IP the local IP of the client's connection to the MDS is meant (design,
// Addresses).
struct DsAddress {
  std::string ip;
  uint16_t port = 0;
  bool operator==(const DsAddress&) const = default;
};

struct DataServer {
  uint32_t node = 0;  // id in the cluster; 0: the MDS itself
  std::string name;
  std::vector<DsAddress> addresses;  // more than one: multipath, the first is tried first
  bool operator==(const DataServer&) const = default;
};

struct Device {
  nfs::deviceid4 id;
  std::vector<DataServer> servers;
  std::vector<uint32_t> stripe_indices;  // into servers
  // The stripe indices that node serves.
  std::vector<uint32_t> indices_of(uint32_t node) const;
  bool uses(uint32_t node) const;
};

class DeviceTable {
 public:
  explicit DeviceTable(uint64_t volume_id) : volume_id_(volume_id) {}

  // The device of these servers, made if it is new. stripe_count 0: one index for each server. Null without servers.
  std::shared_ptr<const Device> device_for(std::vector<DataServer> servers, uint32_t stripe_count);
  std::shared_ptr<const Device> find(const nfs::deviceid4& id) const;
  // All that are known, for GETDEVICELIST.
  std::vector<nfs::deviceid4> ids() const;
  // No layout names it any more.
  void forget(const nfs::deviceid4& id) { devices_.erase(id); }

 private:
  uint64_t volume_id_;
  std::map<nfs::deviceid4, std::shared_ptr<const Device>> devices_;
};

// The body of GETDEVICEINFO for a client whose connection to the MDS ends at `local`.
nfs::nfsv4_1_file_layout_ds_addr4 device_address(const Device& device, const io::Endpoint& local, Arena& arena);

}  // namespace pnfs::mds::layout
