// A digest of a request's arguments, to tell a retry from another request that wrongly has the same slot and sequence
// (RFC 8881 2.10.6.1.3.1).
#pragma once

#include <span>

#include "common/session/types.hpp"

namespace pnfs::session {

// Beyond a few KiB only both ends and the length count: file data is most of a large request, and reading all of it
// once more for each WRITE is what a reply cache is not worth. Not cryptographic: who can forge a request of the
// session needs no collision.
uint64_t request_digest(std::span<const std::byte> args, const Principal& principal);

}  // namespace pnfs::session
