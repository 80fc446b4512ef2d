// One operational key at a time (RFC 7143 13).
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "testbed/target/parameters.hpp"
#include "testbed/target/text.hpp"

namespace pnfs::target {

// Appends our answer, if the key has one, to `out` and takes the result into `parameters`.
// Errc::protocol: a value outside the key's range, which ends the login.
Result<void> negotiate(const KeyValue& offered, const SessionOffer& ours, SessionParameters& parameters,
                       std::string& out);

}  // namespace pnfs::target
