// EXTENDED COPY (LID1) and RECEIVE COPY RESULTS.
#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

void check_extended_copy(Command& c) {
  c.fail(SenseKey::illegal_request, Asc::invalid_opcode);
}
void execute_extended_copy(Command&) {}
void execute_receive_copy_results(Command& c) {
  c.fail(SenseKey::illegal_request, Asc::invalid_opcode);
}

}  // namespace pnfs::target::scsi
