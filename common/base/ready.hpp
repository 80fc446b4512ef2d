// How a server tells whoever started it that it serves now.
#pragma once

#include "common/base/result.hpp"

namespace pnfs {

// "ready\n" to the descriptor, which is closed then; without one (-1) to that of $NOTIFY_FD (s6), and to the service
// manager at $NOTIFY_SOCKET (sd_notify(3)). Nothing when nobody waits.
Result<void> tell_ready(int fd);

}  // namespace pnfs
