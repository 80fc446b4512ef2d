#include "common/block/scsi_command.hpp"

#include <fmt/format.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

namespace pnfs::block {

namespace {

template <class T>
void put(Cdb& cdb, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) cdb.bytes[at + i] = static_cast<uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
}

Cdb make(uint8_t size, uint8_t opcode) {
  Cdb cdb;
  cdb.size = size;
  cdb.bytes[0] = opcode;
  return cdb;
}

}  // namespace

Cdb cdb_test_unit_ready() {
  return make(6, 0x00);
}

Cdb cdb_inquiry(bool vpd, uint8_t page, uint16_t length) {
  Cdb cdb = make(6, 0x12);
  cdb.bytes[1] = vpd ? 1 : 0;
  cdb.bytes[2] = page;
  put(cdb, 3, length);
  return cdb;
}

Cdb cdb_mode_sense6(uint8_t page, uint8_t length) {
  Cdb cdb = make(6, 0x1a);
  cdb.bytes[1] = 0x08;  // no block descriptors
  cdb.bytes[2] = page;  // current values
  cdb.bytes[4] = length;
  return cdb;
}

Cdb cdb_read_capacity16(uint32_t length) {
  Cdb cdb = make(16, 0x9e);
  cdb.bytes[1] = 0x10;
  put(cdb, 10, length);
  return cdb;
}

Cdb cdb_report_opcode(uint8_t opcode, uint16_t service_action, bool has_service_action, uint32_t length) {
  Cdb cdb = make(12, 0xa3);
  cdb.bytes[1] = 0x0c;
  cdb.bytes[2] = has_service_action ? 2 : 1;
  cdb.bytes[3] = opcode;
  put(cdb, 4, service_action);
  put(cdb, 6, length);
  return cdb;
}

Cdb cdb_read16(uint64_t lba, uint32_t blocks) {
  Cdb cdb = make(16, 0x88);
  put(cdb, 2, lba);
  put(cdb, 10, blocks);
  return cdb;
}

Cdb cdb_write16(uint64_t lba, uint32_t blocks, bool fua) {
  Cdb cdb = make(16, 0x8a);
  cdb.bytes[1] = fua ? 0x08 : 0;
  put(cdb, 2, lba);
  put(cdb, 10, blocks);
  return cdb;
}

Cdb cdb_synchronize_cache16() {
  return make(16, 0x91);
}

Cdb cdb_write_same16(uint64_t lba, uint32_t blocks, bool unmap) {
  Cdb cdb = make(16, 0x93);
  cdb.bytes[1] = unmap ? 0x08 : 0;
  put(cdb, 2, lba);
  put(cdb, 10, blocks);
  return cdb;
}

Cdb cdb_compare_and_write(uint64_t lba, uint8_t blocks) {
  Cdb cdb = make(16, 0x89);
  put(cdb, 2, lba);
  cdb.bytes[13] = blocks;
  return cdb;
}

Cdb cdb_pr_in(uint8_t service_action, uint16_t length) {
  Cdb cdb = make(10, 0x5e);
  cdb.bytes[1] = service_action;
  put(cdb, 7, length);
  return cdb;
}

Cdb cdb_pr_out(uint8_t service_action, uint8_t type) {
  Cdb cdb = make(10, 0x5f);
  cdb.bytes[1] = service_action;
  cdb.bytes[2] = type;
  put(cdb, 5, uint32_t{24});
  return cdb;
}

uint16_t be16(std::span<const std::byte> b, size_t at) {
  return static_cast<uint16_t>(static_cast<unsigned>(b[at]) << 8 | static_cast<unsigned>(b[at + 1]));
}
uint32_t be32(std::span<const std::byte> b, size_t at) {
  return static_cast<uint32_t>(be16(b, at)) << 16 | be16(b, at + 2);
}
uint64_t be64(std::span<const std::byte> b, size_t at) {
  return static_cast<uint64_t>(be32(b, at)) << 32 | be32(b, at + 4);
}
void put_be64(std::span<std::byte> b, size_t at, uint64_t value) {
  for (size_t i = 0; i < 8; ++i) b[at + i] = static_cast<std::byte>(value >> (8 * (7 - i)));
}

std::string Outcome::words() const {
  switch (status) {
    case Status::good:
      return "GOOD";
    case Status::busy:
      return "BUSY";
    case Status::reservation_conflict:
      return "RESERVATION CONFLICT";
    case Status::task_set_full:
      return "TASK SET FULL";
    case Status::task_aborted:
      return "TASK ABORTED";
    case Status::lost:
      return "the session to the target was lost";
    case Status::other:
      return fmt::format("status {:#x}", raw_status);
    case Status::check_condition:
      break;
  }
  // SPC-4 table 48. libiscsi has words for some of them, and for some additional codes.
  static constexpr std::string_view kKeys[] = {"NO SENSE",       "RECOVERED ERROR", "NOT READY",      "MEDIUM ERROR",
                                               "HARDWARE ERROR", "ILLEGAL REQUEST", "UNIT ATTENTION", "DATA PROTECT",
                                               "BLANK CHECK",    "VENDOR",          "COPY ABORTED",   "ABORTED COMMAND",
                                               "key 0c",         "VOLUME OVERFLOW", "MISCOMPARE",     "COMPLETED"};
  const char* const more = scsi_sense_ascq_str(asc);
  return fmt::format("CHECK CONDITION, {}{}{} ({:02x}/{:04x})", kKeys[static_cast<size_t>(key) & 15],
                     more != nullptr ? ", " : "", more != nullptr ? more : "", static_cast<int>(key), asc);
}

}  // namespace pnfs::block
