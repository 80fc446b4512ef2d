// From a CDB to the function that carries it out. Two steps, because between them the transport fetches the data:
//   admit():   everything that can be refused without data (SAM-5 5.3.3 order: unit attention, reservations, the
//              CDB's fields); sets transfer_bytes and takes_data. Commands that need no more are not yet executed.
//   execute(): the command itself. Never suspends, so a command is atomic against every other session's.
// Both stop early by setting Command::finished.
#pragma once

#include <span>

#include "testbed/target/scsi/logical_unit.hpp"

namespace pnfs::target::scsi {

// How a command fares under another nexus's reservation (SPC-4 table 66, SBC-3 table 13).
enum class Access : uint8_t {
  any,    // allowed whatever is reserved
  read,   // conflicts with exclusive access
  write,  // conflicts with every reservation of others
};

enum CommandTraits : uint8_t {
  kMedium = 1,   // NOT READY while the medium is ejected
  kWrites = 2,   // DATA PROTECT on a read-only unit
  kAnyTime = 4,  // even with a unit attention pending
  kThin = 8,     // only thin units offer it
};

struct CommandEntry {
  uint8_t opcode;
  int16_t service_action;  // -1: the opcode has none
  const char* name;
  // REPORT SUPPORTED OPCODES: one bit for each CDB bit that we look at; byte 0 is the opcode, unused tail zero.
  std::array<uint8_t, 16> usage;
  Access access;
  uint8_t traits;  // of CommandTraits
  void (*check)(Command&);
  void (*execute)(Command&);

  size_t cdb_bytes() const;
};

std::span<const CommandEntry> command_table();
// nullptr: not supported by this unit. A service action is looked up where the opcode has them.
const CommandEntry* find_entry(const Command& command);
bool is_offered(const CommandEntry& entry, const LogicalUnit& unit);

void admit(Command& command);
void execute(Command& command);

// --- for the families
void no_check(Command& command);
// Takes LBA and number of blocks out of a 6, 10, 12 or 16 byte read/write-shaped CDB and checks them against the unit
// (SBC-3 4.26.3): LOGICAL BLOCK ADDRESS OUT OF RANGE. False when the command has been failed.
bool parse_range(Command& command);
// RDPROTECT, WRPROTECT or VRPROTECT must be zero: we have no protection information.
bool check_protect(Command& command);
// The command takes `bytes` of parameter data from the initiator.
void expect_parameters(Command& command, uint64_t bytes);
// Turns a failed backing operation into sense data.
void fail_medium(Command& command, const Error& error, bool writing);

}  // namespace pnfs::target::scsi
