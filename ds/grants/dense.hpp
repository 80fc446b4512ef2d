// Where the bytes of a dense data server file lie in the file (RFC 8881 13.4.3). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "common/control/stripe_set.hpp"

namespace pnfs::ds {

// The file ranges of [offset, end) of the dense file that stands for stripe index `index`, in order. `set` gives the
// pattern. Stops where file offsets would pass 2^64.
std::vector<control::ByteRange> dense_to_file(const control::StripeSet& set, uint32_t index, uint64_t offset,
                                              uint64_t end);

}  // namespace pnfs::ds
