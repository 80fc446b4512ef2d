// The namespaces of one guest: mounts, processes and network of its own, in a user namespace where the caller has no
// privilege. Single-threaded callers only (pnfs-guest).
#pragma once

#include <string>

#include "common/base/result.hpp"

namespace pnfs::kernel {

// After this the process is alone with its network (nothing but a loopback that is down) and its mounts; its next child
// is the first process of a process namespace and takes all others with it when it ends.
Result<void> enter_namespaces();

// The same inside a user namespace that is there already ("/proc/PID/ns/user"), so that we may change what belongs to
// it.
Result<void> enter_namespaces_below(const std::string& user_namespace);

// A user namespace in which we are root, with a network namespace that belongs to it; root that may do without makes
// the latter alone.
Result<void> enter_network_namespace();

// A tmpfs at `folder`, executable and large enough for a guest's memory; seen by this mount namespace alone.
Result<void> mount_private_tmpfs(const std::string& folder, unsigned mib);

}  // namespace pnfs::kernel
