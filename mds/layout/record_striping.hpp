// A layout was given: its striping goes to the volume when it is another than the last.
#pragma once

#include "mds/layout/personality.hpp"
#include "mds/layout/striping.hpp"

namespace pnfs::volume {
class Catalog;
}

namespace pnfs::mds::layout {

void record_striping(volume::Catalog& catalog, const Personality& personality, const FileStriping& striping);

}  // namespace pnfs::mds::layout
