// The Tree as a FUSE file system: libfuse's low level on the process's own event loop, so that a request that waits for
// the LUN or a server keeps nobody else waiting, and a signal ends the view at once.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>

#include "testbed/inspect/tree.hpp"

namespace pnfs::inspect {

struct MountOptions {
  std::string directory;
  // Other users may look too; then the kernel holds them to the modes that the volume has.
  bool allow_other = false;
};

// Mounts and serves until unmounted, SIGTERM or SIGINT; then unmounts. `ready` is called once it is mounted.
// Errors: permission, not_found (no such folder, no fusermount3), busy (something dead is mounted there), io.
Result<void> serve(boost::asio::io_context& context, Tree& tree, const MountOptions& options,
                   const std::function<void()>& ready);

}  // namespace pnfs::inspect
