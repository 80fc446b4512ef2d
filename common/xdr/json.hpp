// Any wire value as JSON, through its descriptor: enums and bits by name, bytes in hex (long ones as their length and
// their first bytes), unions as the discriminant and the chosen arm.
#pragma once

#include <nlohmann/json.hpp>

#include "common/xdr/field_view.hpp"

namespace pnfs::xdr {

nlohmann::json to_json(const FieldView& view);

}  // namespace pnfs::xdr
