// The topology `hosts`: every server is a machine of its own, with the addresses of docker-compose.yml, so that what
// runs in one runs in the other. A machine is a network namespace; two bridges join them, in a namespace of their own:
//
//   san 172.28.1.0/24   target .5   mds .10   ds<i> .10+i                       iSCSI, control
//   nfs 172.28.2.0/24               mds .10   ds<i> .10+i   client .99          NFS; guest <n> of `client` .99+n
//
// One process, `pnfslab network` (host_network.hpp), makes all of it and holds it until it is ended; nothing has to be
// cleaned up then. It needs no privilege: where the caller has none, everything belongs to a user namespace. At its
// socket STATE/network.sock it is told of data servers that come and go.
#pragma once

#include <string>
#include <vector>

#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

struct Host {
  std::string name;
  std::string san, nfs;  // its addresses; empty: it is not in that network
};

inline constexpr unsigned kHostPrefix = 24;
inline constexpr uint16_t kHostNfsPort = 2049, kHostIscsiPort = 3260;
inline constexpr unsigned kMostHostDataServers = 88;  // ds88 has the address before the client's

// target, mds, client, ds1, ds2...
std::vector<Host> hosts_with(unsigned data_servers);
Result<Host> find_host(std::string_view name);
// Of a lab that runs: any data server may have gone.
std::vector<Host> hosts_of(const LabState& lab);
std::string guest_host_address(unsigned number);

// The process that holds a network keeps its namespaces at these descriptors, where others find them: that of the
// bridges, and those of the hosts (-1 for what find_host() does not know).
inline constexpr int kSwitchFd = 99;
int host_fd(std::string_view name);

// The host of a data server, while the network runs. Both leave all or nothing of it.
Result<void> add_host(const LabState& lab, const std::string& name);
Result<void> remove_host(const LabState& lab, const std::string& name);  // nothing when it is gone already

// Files to be given to setns(), in this order: the user namespace where it is another one than ours, then the network
// of the host ("switch": that of the bridges). Errors: not_found when there is no such host or it is gone.
Result<std::vector<std::string>> host_namespaces(const LabState& lab, std::string_view host);
// This process becomes one of that host; it must not have threads. Nothing for a lab of the loopback topology.
Result<void> join_host(const LabState& lab, std::string_view host);

}  // namespace pnfs::lab
