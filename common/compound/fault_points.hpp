// The fault points of NFSv4.1: every operation and callback with its fields and the errors that the RFC lets it return.
#pragma once

#include "common/fault/vocabulary.hpp"

namespace pnfs::compound {

void add_nfs_points(fault::Vocabulary& vocabulary);

}  // namespace pnfs::compound
