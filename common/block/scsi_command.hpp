// Private to this folder: the SCSI commands a block store sends, as CDBs, and what came of them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace pnfs::block {

struct Cdb {
  std::array<uint8_t, 16> bytes{};
  uint8_t size = 0;
};

Cdb cdb_test_unit_ready();
Cdb cdb_inquiry(bool vpd, uint8_t page, uint16_t length);
Cdb cdb_mode_sense6(uint8_t page, uint8_t length);
Cdb cdb_read_capacity16(uint32_t length);
Cdb cdb_report_opcode(uint8_t opcode, uint16_t service_action, bool has_service_action, uint32_t length);
Cdb cdb_read16(uint64_t lba, uint32_t blocks);
Cdb cdb_write16(uint64_t lba, uint32_t blocks, bool fua);
Cdb cdb_synchronize_cache16();  // the whole unit
Cdb cdb_write_same16(uint64_t lba, uint32_t blocks, bool unmap);
Cdb cdb_compare_and_write(uint64_t lba, uint8_t blocks);
Cdb cdb_pr_in(uint8_t service_action, uint16_t length);
Cdb cdb_pr_out(uint8_t service_action, uint8_t type);

uint16_t be16(std::span<const std::byte> bytes, size_t at);
uint32_t be32(std::span<const std::byte> bytes, size_t at);
uint64_t be64(std::span<const std::byte> bytes, size_t at);
void put_be64(std::span<std::byte> bytes, size_t at, uint64_t value);

enum class Status : uint16_t {
  good = 0x00,
  check_condition = 0x02,
  busy = 0x08,
  reservation_conflict = 0x18,
  task_set_full = 0x28,
  task_aborted = 0x40,
  lost = 0x100,  // the session ended before the answer: the command may or may not have been carried out
  other = 0x101,
};

enum class SenseKey : uint8_t {
  none = 0,
  not_ready = 2,
  illegal_request = 5,
  unit_attention = 6,
  aborted = 11,
  miscompare = 14
};

struct Outcome {
  Status status = Status::other;
  SenseKey key = SenseKey::none;
  uint16_t asc = 0;  // additional sense code and qualifier
  uint32_t raw_status = 0;
  uint32_t residual = 0;  // bytes fewer than asked for
  std::string words() const;
};

// Additional sense codes that mean something to us (SPC-4 annex D).
inline constexpr uint16_t kAscInvalidOpcode = 0x2000;
inline constexpr uint16_t kAscInvalidField = 0x2400;
inline constexpr uint16_t kAscNoSuchLun = 0x2500;
inline constexpr uint16_t kAscReservationsPreempted = 0x2a03;
inline constexpr uint16_t kAscReservationsReleased = 0x2a04;
inline constexpr uint16_t kAscRegistrationsPreempted = 0x2a05;
// 0x29xx: power on, reset or nexus loss: commands and perhaps cached writes are gone.
inline bool is_reset(uint16_t asc) {
  return asc >> 8 == 0x29;
}

}  // namespace pnfs::block
