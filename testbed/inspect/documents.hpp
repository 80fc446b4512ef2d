// The documents of the view that are made up from the catalog: JSON and text.
#pragma once

#include <string>

#include "common/volume/snapshot.hpp"

namespace pnfs::inspect {

std::string attributes_json(const volume::Inode& inode);
std::string extents_text(const std::vector<volume::Extent>& extents);
std::string superblock_json(const volume::Snapshot& picture);
Result<std::string> nodes_json(volume::Snapshot& picture);
std::string space_json(volume::Snapshot& picture);

}  // namespace pnfs::inspect
