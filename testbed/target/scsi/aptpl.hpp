// Registrations that survive a restart of the target (APTPL, SPC-4 5.12.5): a small text file beside the LUN's.
#pragma once

#include "common/base/result.hpp"
#include "testbed/target/scsi/logical_unit.hpp"

namespace pnfs::target::scsi {

// Writes the state when APTPL is on, removes the file when it is off. Durable when it returns.
Result<void> save_reservations(const LogicalUnit& unit);
// Nothing to restore is not an error; a file that makes no sense is (Errc::corrupt).
Result<void> restore_reservations(LogicalUnit& unit);

}  // namespace pnfs::target::scsi
