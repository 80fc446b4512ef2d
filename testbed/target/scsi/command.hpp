// One SCSI command on its way through a logical unit. The transport fills the upper part, admit() and execute()
// (scsi/dispatch.hpp) the lower one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "testbed/target/buffer_pool.hpp"
#include "testbed/target/bytes.hpp"
#include "testbed/target/scsi/sense.hpp"

namespace pnfs::target::scsi {

class LogicalUnit;
struct CommandEntry;

// One initiator port as a logical unit knows it: it outlives sessions, and its id is never reused.
using NexusId = uint32_t;
struct Nexus {
  NexusId id = 0;
  std::string initiator;  // normal form
  std::array<uint8_t, 6> isid{};
};

struct Command {
  // From the transport
  std::array<uint8_t, 16> cdb{};
  const Nexus* nexus = nullptr;
  LogicalUnit* unit = nullptr;  // nullptr: no such LUN
  uint32_t expected_bytes = 0;  // the initiator's buffer, either direction
  BufferPool* pool = nullptr;
  const std::vector<uint32_t>* luns = nullptr;  // of the target, ascending: for REPORT LUNS
  ConstBytes data_out;                          // set before execute(): min(transfer_bytes, expected_bytes) bytes of it

  // From admit()
  const CommandEntry* entry = nullptr;
  bool takes_data = false;      // transfer_bytes come from the initiator
  uint64_t transfer_bytes = 0;  // what the CDB asks to move; residuals are against expected_bytes
  uint64_t lba = 0;             // of commands that address blocks: for traces and fault rules
  uint64_t blocks = 0;

  // From admit() or execute()
  bool finished = false;
  bool deferred = false;  // execute() began it; the unit calls back when it is over
  Status status = Status::good;
  Sense sense;
  Buffer data_in;
  uint32_t data_in_bytes = 0;  // never more than expected_bytes

  uint8_t opcode() const { return cdb[0]; }

  void fail(SenseKey key, Asc asc) {
    finished = true;
    status = Status::check_condition;
    sense = Sense{key, asc};
  }
  // `byte` of the CDB is the offending one.
  void fail_field(uint16_t byte) {
    fail(SenseKey::illegal_request, Asc::invalid_field_in_cdb);
    sense.field_pointer = byte;
  }
  void fail_parameter(uint16_t byte) {
    fail(SenseKey::illegal_request, Asc::invalid_field_in_parameter_list);
    sense.field_pointer = byte;
    sense.in_cdb = false;
  }
  void finish(Status with) {
    finished = true;
    status = with;
  }
  // Answers with parameter data cut to the allocation length, as SPC-4 4.2.5.6 wants it.
  void reply(ConstBytes data, uint64_t allocation_length);
};

}  // namespace pnfs::target::scsi
