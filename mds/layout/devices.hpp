// Device ids and what they stand for: which data servers, in which order, at which addresses (RFC 8881 12.2.10, 13.5).
// Pure.
//
// A device id is made from what it stands for (volume, data servers, stripe indices, configured addresses), so that the
// same id never means two things, not even across restarts of the MDS, and equal devices get equal ids. Or it is fixed,
// as pnfs-dlm's was: then its meaning changes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/io/stream.hpp"
#include "common/nfs/layout.hpp"

namespace pnfs::mds::layout {

// Where clients reach a data server. Without an IP, or without a port, that of the local end of the client's connection
// to the MDS is meant (design, Addresses).
struct DsAddress {
  std::string ip;
  uint16_t port = 0;
  bool operator==(const DsAddress&) const = default;
};

struct DataServer {
  uint32_t node = 0;  // id in the cluster; 0: the MDS itself
  std::string name;
  std::vector<DsAddress> addresses;  // more than one: multipath, the first is tried first
  uint64_t instance = 0;             // of its process, where devices tell one life of it from the next
  bool operator==(const DataServer&) const = default;
};

struct Device {
  nfs::deviceid4 id;
  uint64_t content = 0;  // of what it stands for
  uint32_t asked_count = 0;  // stripes; 0: one for each server
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
  // fixed: one id for each stripe_count, which from now on stands for these servers.
  std::shared_ptr<const Device> device_for(std::vector<DataServer> servers, uint32_t stripe_count, bool fixed = false);
  // What the id stands for now.
  std::shared_ptr<const Device> find(const nfs::deviceid4& id) const;
  // All that are known, for GETDEVICELIST.
  std::vector<nfs::deviceid4> ids() const;
  std::vector<std::shared_ptr<const Device>> all() const;
  // No layout names it any more. It is never the id of a device again (12.2.10).
  void forget(const nfs::deviceid4& id);
  // Grows with each change of the list.
  uint64_t version() const { return version_; }

 private:
  uint64_t volume_id_;
  std::map<nfs::deviceid4, std::shared_ptr<const Device>> devices_;
  std::map<uint64_t, uint32_t> deleted_;  // how often a device of this content was
  uint64_t version_ = 1;
};

// The body of GETDEVICEINFO for a client whose connection to the MDS ends at `local`.
nfs::nfsv4_1_file_layout_ds_addr4 device_address(const Device& device, const io::Endpoint& local, Arena& arena);

}  // namespace pnfs::mds::layout
