#pragma once

#include "common/compound/context.hpp"

namespace pnfs::compound {

// The request's connection is now bound to a session: the session table hears of its end.
void watch_connection(Context& context);

}  // namespace pnfs::compound
