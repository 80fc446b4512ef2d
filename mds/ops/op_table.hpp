// Which function answers which operation at the MDS.
#pragma once

#include "common/compound/op_table.hpp"

namespace pnfs::mds {

const compound::OpTableBase& mds_operations();

}  // namespace pnfs::mds
