// A layout was given: how files without rules of their own are striped goes to the volume when it is another than last
// time. From a file with rules of its own that is known too, but not well enough to replace what is there.
#pragma once

#include "mds/layout/personality.hpp"
#include "mds/layout/striping.hpp"

namespace pnfs::volume {
class Catalog;
}

namespace pnfs::mds::layout {

void record_striping(volume::Catalog& catalog, const Personality& personality, const FileStriping& striping,
                     bool own_rules);

}  // namespace pnfs::mds::layout
