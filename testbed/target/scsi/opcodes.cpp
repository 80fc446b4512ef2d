// Every command the target knows, in order of opcode: the one place a new command is entered.
#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

using enum Access;
using Usage = std::array<uint8_t, 16>;

// The shapes most commands have; `flags` is byte 1.
constexpr Usage rw6(uint8_t opcode) {
  return {opcode, 0x1f, 0xff, 0xff, 0xff, 4};
}
constexpr Usage rw10(uint8_t opcode, uint8_t flags) {
  return {opcode, flags, 0xff, 0xff, 0xff, 0xff, 0x1f, 0xff, 0xff, 4};
}
constexpr Usage rw12(uint8_t opcode, uint8_t flags) {
  return {opcode, flags, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 4};
}
constexpr Usage rw16(uint8_t opcode, uint8_t flags) {
  return {opcode, flags, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 4};
}
constexpr Usage list10(uint8_t opcode, uint8_t flags) {
  return {opcode, flags, 0, 0, 0, 0, 0, 0xff, 0xff, 4};
}
constexpr Usage reserve_out() {
  return {0x5f, 0x1f, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 4};
}

constexpr CommandEntry kTable[] = {
    {0x00, -1, "TEST UNIT READY", {0x00, 0, 0, 0, 0, 4}, any, kMedium, no_check, execute_test_unit_ready},
    {0x03, -1, "REQUEST SENSE", {0x03, 1, 0, 0, 0xff, 4}, any, kAnyTime, no_check, execute_request_sense},
    {0x08, -1, "READ(6)", rw6(0x08), read, kMedium, check_read, execute_read},
    {0x0a, -1, "WRITE(6)", rw6(0x0a), write, kMedium | kWrites, check_write, execute_write},
    {0x12, -1, "INQUIRY", {0x12, 1, 0xff, 0xff, 0xff, 4}, any, kAnyTime, no_check, execute_inquiry},
    {0x15, -1, "MODE SELECT(6)", {0x15, 0x11, 0, 0, 0xff, 4}, write, 0, check_mode_select, execute_mode_select},
    {0x16, -1, "RESERVE(6)", {0x16, 0, 0, 0, 0, 4}, any, 0, no_check, execute_reserve6},
    {0x17, -1, "RELEASE(6)", {0x17, 0, 0, 0, 0, 4}, any, 0, no_check, execute_release6},
    {0x1a, -1, "MODE SENSE(6)", {0x1a, 8, 0xff, 0xff, 0xff, 4}, any, 0, no_check, execute_mode_sense},
    {0x1b, -1, "START STOP UNIT", {0x1b, 1, 0, 0xf, 0xf7, 4}, write, 0, no_check, execute_start_stop},
    {0x1e, -1, "PREVENT ALLOW MEDIUM REMOVAL", {0x1e, 0, 0, 0, 3, 4}, write, 0, no_check, execute_prevent_allow},
    {0x25,
     -1,
     "READ CAPACITY(10)",
     {0x25, 0, 0, 0, 0, 0, 0, 0, 0, 4},
     any,
     kMedium,
     no_check,
     execute_read_capacity_10},
    {0x28, -1, "READ(10)", rw10(0x28, 0xf8), read, kMedium, check_read, execute_read},
    {0x2a, -1, "WRITE(10)", rw10(0x2a, 0xf8), write, kMedium | kWrites, check_write, execute_write},
    {0x2e, -1, "WRITE AND VERIFY(10)", rw10(0x2e, 0xf6), write, kMedium | kWrites, check_write_verify,
     execute_write_verify},
    {0x2f, -1, "VERIFY(10)", rw10(0x2f, 0xf6), read, kMedium, check_verify, execute_verify},
    {0x34, -1, "PRE-FETCH(10)", rw10(0x34, 2), read, kMedium, check_prefetch, execute_prefetch},
    {0x35, -1, "SYNCHRONIZE CACHE(10)", rw10(0x35, 2), write, kMedium, check_sync_cache, execute_sync_cache},
    {0x37,
     -1,
     "READ DEFECT DATA(10)",
     {0x37, 0, 0x1f, 0, 0, 0, 0, 0xff, 0xff, 4},
     read,
     kMedium,
     no_check,
     execute_read_defects_10},
    {0x41, -1, "WRITE SAME(10)", rw10(0x41, 0xf8), write, kMedium | kWrites, check_write_same, execute_write_same},
    {0x42,
     -1,
     "UNMAP",
     {0x42, 1, 0, 0, 0, 0, 0x1f, 0xff, 0xff, 4},
     write,
     kMedium | kWrites | kThin,
     check_unmap,
     execute_unmap},
    {0x48, 0x01, "SANITIZE OVERWRITE", list10(0x48, 0xff), write, kMedium | kWrites, check_sanitize, execute_sanitize},
    {0x48, 0x02, "SANITIZE BLOCK ERASE", list10(0x48, 0xff), write, kMedium | kWrites, check_sanitize,
     execute_sanitize},
    {0x48, 0x03, "SANITIZE CRYPTOGRAPHIC ERASE", list10(0x48, 0xff), write, kMedium | kWrites, check_sanitize,
     execute_sanitize},
    {0x48, 0x1f, "SANITIZE EXIT FAILURE MODE", list10(0x48, 0xff), write, kMedium | kWrites, check_sanitize,
     execute_sanitize},
    {0x55,
     -1,
     "MODE SELECT(10)",
     {0x55, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff, 4},
     write,
     0,
     check_mode_select,
     execute_mode_select},
    {0x5a,
     -1,
     "MODE SENSE(10)",
     {0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 4},
     any,
     0,
     no_check,
     execute_mode_sense},
    {0x5e, 0x00, "PERSISTENT RESERVE IN: READ KEYS", list10(0x5e, 0x1f), any, 0, no_check, execute_persistent_in},
    {0x5e, 0x01, "PERSISTENT RESERVE IN: READ RESERVATION", list10(0x5e, 0x1f), any, 0, no_check,
     execute_persistent_in},
    {0x5e, 0x02, "PERSISTENT RESERVE IN: REPORT CAPABILITIES", list10(0x5e, 0x1f), any, 0, no_check,
     execute_persistent_in},
    {0x5e, 0x03, "PERSISTENT RESERVE IN: READ FULL STATUS", list10(0x5e, 0x1f), any, 0, no_check,
     execute_persistent_in},
    {0x5f, 0x00, "PERSISTENT RESERVE OUT: REGISTER", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x5f, 0x01, "PERSISTENT RESERVE OUT: RESERVE", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x5f, 0x02, "PERSISTENT RESERVE OUT: RELEASE", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x5f, 0x03, "PERSISTENT RESERVE OUT: CLEAR", reserve_out(), any, 0, check_persistent_out, execute_persistent_out},
    {0x5f, 0x04, "PERSISTENT RESERVE OUT: PREEMPT", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x5f, 0x05, "PERSISTENT RESERVE OUT: PREEMPT AND ABORT", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x5f, 0x06, "PERSISTENT RESERVE OUT: REGISTER AND IGNORE", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x5f, 0x07, "PERSISTENT RESERVE OUT: REGISTER AND MOVE", reserve_out(), any, 0, check_persistent_out,
     execute_persistent_out},
    {0x83,
     0x00,
     "EXTENDED COPY",
     {0x83, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 4},
     write,
     kMedium | kWrites,
     check_extended_copy,
     execute_extended_copy},
    {0x84,
     0x00,
     "RECEIVE COPY STATUS",
     {0x84, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 4},
     any,
     0,
     no_check,
     execute_receive_copy_results},
    {0x84,
     0x03,
     "RECEIVE COPY OPERATING PARAMETERS",
     {0x84, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 4},
     any,
     0,
     no_check,
     execute_receive_copy_results},
    {0x88, -1, "READ(16)", rw16(0x88, 0xf8), read, kMedium, check_read, execute_read},
    {0x89,
     -1,
     "COMPARE AND WRITE",
     {0x89, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0x1f, 4},
     write,
     kMedium | kWrites,
     check_compare_and_write,
     execute_compare_and_write},
    {0x8a, -1, "WRITE(16)", rw16(0x8a, 0xf8), write, kMedium | kWrites, check_write, execute_write},
    {0x8b, -1, "ORWRITE(16)", rw16(0x8b, 0xf8), write, kMedium | kWrites, check_or_write, execute_or_write},
    {0x8e, -1, "WRITE AND VERIFY(16)", rw16(0x8e, 0xf6), write, kMedium | kWrites, check_write_verify,
     execute_write_verify},
    {0x8f, -1, "VERIFY(16)", rw16(0x8f, 0xf6), read, kMedium, check_verify, execute_verify},
    {0x90, -1, "PRE-FETCH(16)", rw16(0x90, 2), read, kMedium, check_prefetch, execute_prefetch},
    {0x91, -1, "SYNCHRONIZE CACHE(16)", rw16(0x91, 2), write, kMedium, check_sync_cache, execute_sync_cache},
    {0x93, -1, "WRITE SAME(16)", rw16(0x93, 0xf9), write, kMedium | kWrites, check_write_same, execute_write_same},
    {0x9c,
     -1,
     "WRITE ATOMIC(16)",
     {0x9c, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0x1f, 4},
     write,
     kMedium | kWrites,
     check_write_atomic,
     execute_write},
    {0x9e,
     0x10,
     "READ CAPACITY(16)",
     {0x9e, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 4},
     any,
     kMedium,
     no_check,
     execute_read_capacity_16},
    {0x9e,
     0x12,
     "GET LBA STATUS",
     {0x9e, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 4},
     read,
     kMedium | kThin,
     no_check,
     execute_lba_status},
    {0xa0,
     -1,
     "REPORT LUNS",
     {0xa0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 4},
     any,
     kAnyTime,
     no_check,
     execute_report_luns},
    {0xa3,
     0x0c,
     "REPORT SUPPORTED OPERATION CODES",
     {0xa3, 0x1f, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 4},
     any,
     0,
     no_check,
     execute_report_opcodes},
    {0xa3,
     0x0d,
     "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
     {0xa3, 0x1f, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 4},
     any,
     0,
     no_check,
     execute_report_task_functions},
    {0xa8, -1, "READ(12)", rw12(0xa8, 0xf8), read, kMedium, check_read, execute_read},
    {0xaa, -1, "WRITE(12)", rw12(0xaa, 0xf8), write, kMedium | kWrites, check_write, execute_write},
    {0xae, -1, "WRITE AND VERIFY(12)", rw12(0xae, 0xf6), write, kMedium | kWrites, check_write_verify,
     execute_write_verify},
    {0xaf, -1, "VERIFY(12)", rw12(0xaf, 0xf6), read, kMedium, check_verify, execute_verify},
    {0xb7,
     -1,
     "READ DEFECT DATA(12)",
     {0xb7, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 4},
     read,
     kMedium,
     no_check,
     execute_read_defects_12},
};

// First entry of each opcode, for the hot path.
struct Index {
  std::array<int16_t, 256> first;
  constexpr Index() : first{} {
    for (auto& i : first) i = -1;
    for (size_t i = 0; i < std::size(kTable); ++i) {
      if (first[kTable[i].opcode] < 0) first[kTable[i].opcode] = static_cast<int16_t>(i);
    }
  }
};
constexpr Index kIndex;

}  // namespace

std::span<const CommandEntry> command_table() {
  return kTable;
}

bool is_offered(const CommandEntry& entry, const LogicalUnit& unit) {
  if ((entry.traits & kThin) && !unit.config().thin) return false;
  // SBC-3 5.15: removal can only be prevented where there is removal.
  return entry.opcode != 0x1e || unit.config().removable;
}

const CommandEntry* find_entry(const Command& command) {
  const int16_t first = kIndex.first[command.opcode()];
  if (first < 0) return nullptr;
  for (size_t i = static_cast<size_t>(first); i < std::size(kTable) && kTable[i].opcode == command.opcode(); ++i) {
    const CommandEntry& entry = kTable[i];
    if (entry.service_action >= 0 && entry.service_action != (command.cdb[1] & 0x1f)) continue;
    if (command.unit && !is_offered(entry, *command.unit)) return nullptr;
    return &entry;
  }
  return nullptr;
}

}  // namespace pnfs::target::scsi
