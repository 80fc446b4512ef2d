// Where a guest runs: in namespaces of its own, or, in a container that may make none, right where its supervisor is.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "testbed/kernel/settings.hpp"

namespace pnfs::kernel {

struct Surroundings {
  bool confined = true;    // namespaces of its own, which end whatever runs in them
  std::string run_folder;  // on a tmpfs: the guest's memory, and the files that it and its supervisor exchange
  std::string guest_interface;
  std::string capture_interface;  // where all of the guest's packets are seen
  std::string hardware_address;   // of the guest's interface; empty: any
  std::string guest_address, gateway, server_address;
  unsigned prefix = 24;
};

// New namespaces with a network of two joined interfaces: pnfs0 has the addresses of the servers (further ones are the
// caller's to add), pnfs1 is the guest's. After this the process's next child is the first of a process namespace.
Result<Surroundings> private_surroundings(const Settings& options, const std::string& guest_folder);

// New namespaces with one interface, pnfs1, whose other end is a port of the bridge `bridge` in the network namespace
// `bridge_namespace` (of the user namespace `user_namespace`, where that is not ours): the guest is a machine of its
// own on that segment.
Result<Surroundings> bridged_surroundings(const Settings& options, const std::string& guest_folder);

// The network as it is: the guest is a machine of its own, with its own hardware address, on the segment behind the
// interface ("attach"). Needs CAP_NET_RAW and nothing else. The run folder is made below $TMPDIR.
Result<Surroundings> shared_surroundings(const Settings& options);

// Removes what is not private.
void leave_surroundings(const Surroundings& surroundings);

}  // namespace pnfs::kernel
