// The View as a FUSE file system.
#pragma once

#include <string>

#include "testbed/inspect/view.hpp"

namespace pnfs::inspect {

struct MountOptions {
  std::string directory;
  bool allow_other = false;
};

// Mounts and serves until unmounted, SIGTERM or SIGINT; then unmounts. Always read-only.
// Errors: permission, not_found (no such folder, no fusermount3), io.
Result<void> serve(View& view, const MountOptions& options);

}  // namespace pnfs::inspect
