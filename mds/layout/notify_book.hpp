// Who wants to hear what about which device (RFC 8881 18.40.3): the last bitmap of each client for each device id. Pure.
#pragma once

#include <map>
#include <vector>

#include "common/nfs/layout.hpp"

namespace pnfs::mds::layout {

class NotifyBook {
 public:
  // Replaces what the client said about the device before; nothing wanted: no notifications.
  void wanted(nfs::clientid4 client, const nfs::deviceid4& device, bool change, bool deletion) {
    if (change || deletion) {
      devices_[device][client] = {change, deletion};
      return;
    }
    const auto held = devices_.find(device);
    if (held == devices_.end()) return;
    held->second.erase(client);
    if (held->second.empty()) devices_.erase(held);
  }
  std::vector<nfs::clientid4> for_change(const nfs::deviceid4& device) const { return pick(device, &Wanted::change); }
  std::vector<nfs::clientid4> for_deletion(const nfs::deviceid4& device) const { return pick(device, &Wanted::deletion); }
  void drop_client(nfs::clientid4 client) {
    for (auto& [device, clients] : devices_) clients.erase(client);
    std::erase_if(devices_, [](const auto& entry) { return entry.second.empty(); });
  }
  void drop_device(const nfs::deviceid4& device) { devices_.erase(device); }
  bool empty() const { return devices_.empty(); }

 private:
  struct Wanted {
    bool change = false;
    bool deletion = false;
  };
  std::vector<nfs::clientid4> pick(const nfs::deviceid4& device, bool Wanted::*what) const {
    std::vector<nfs::clientid4> out;
    if (const auto held = devices_.find(device); held != devices_.end())
      for (const auto& [client, wanted] : held->second)
        if (wanted.*what) out.push_back(client);
    return out;
  }
  std::map<nfs::deviceid4, std::map<nfs::clientid4, Wanted>> devices_;
};

}  // namespace pnfs::mds::layout
