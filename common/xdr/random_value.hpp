// Fills any wire value from a Random, through its descriptor: what round-trip tests and fuzzers start from.
#pragma once

#include "common/base/random.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::xdr {

// Every union has an arm its discriminant allows, arrays keep to their limits and to `max_items`, opaques and strings
// to `max_bytes`; so what comes out encodes and decodes. Enums that are not discriminants are now and then a number
// without a name.
void fill_random(const FieldView& view, Random& random, Arena& arena, size_t max_items = 3, size_t max_bytes = 40);

}  // namespace pnfs::xdr
