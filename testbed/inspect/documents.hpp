// The documents of the view that are made up from the catalog: JSON and text.
#pragma once

#include <string>

#include "common/block/block_store.hpp"
#include "common/control/striping_record.hpp"
#include "common/volume/snapshot.hpp"

namespace pnfs::inspect {

std::string attributes_json(const volume::Inode& inode);
std::string extents_text(const std::vector<volume::Extent>& extents);
// `striping`: of this file, as striping_of() says.
std::string layout_json(const volume::Inode& inode, const std::optional<control::StripingRecord>& striping);
std::string superblock_json(const volume::Superblock& superblock, const volume::OwnerRecord& owner);
Result<std::string> nodes_json(volume::Snapshot& picture);
std::string reservations_json(const block::Geometry& geometry, const Result<block::Reservation>& reservation);
Result<std::string> space_json(volume::Snapshot& picture);

// How layouts stripe the file, by its own rules or the volume's; nothing for what is no regular file, or when no layout
// was ever given on this volume.
Result<std::optional<control::StripingRecord>> striping_of(volume::Snapshot& picture, const volume::Inode& inode);

}  // namespace pnfs::inspect
