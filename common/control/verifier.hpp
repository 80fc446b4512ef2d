// verifier4 of WRITE and COMMIT (design, NFS stability on SCSI): changes whenever unflushed writes may have been lost.
// It may change needlessly, it may never fail to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pnfs::control {

// Where COMMIT goes through the MDS, the MDS and all data servers answer with this one value.
std::array<std::byte, 8> volume_verifier(uint64_t write_epoch, uint64_t mds_instance);
// Of a data server that takes COMMITs itself.
std::array<std::byte, 8> server_verifier(uint64_t write_epoch, uint64_t store_epoch, uint64_t instance);

}  // namespace pnfs::control
