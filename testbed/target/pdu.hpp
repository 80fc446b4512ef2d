// The 48 byte basic header segment of an iSCSI PDU (RFC 7143 11.2.1) and the values its fields take. A Header is the
// wire bytes; every accessor reads or writes them in place, so parsing cannot fail: what a field means is checked where
// it is used.
#pragma once

#include <array>

#include "testbed/target/bytes.hpp"

namespace pnfs::target {

inline constexpr size_t kHeaderBytes = 48;
inline constexpr uint32_t kReservedTag = 0xffffffff;  // RFC 7143 11.2.1.8: no task

enum class Opcode : uint8_t {
  nop_out = 0x00,
  scsi_command = 0x01,
  task_management = 0x02,
  login = 0x03,
  text = 0x04,
  data_out = 0x05,
  logout = 0x06,
  snack = 0x10,
  nop_in = 0x20,
  scsi_response = 0x21,
  task_management_response = 0x22,
  login_response = 0x23,
  text_response = 0x24,
  data_in = 0x25,
  logout_response = 0x26,
  r2t = 0x31,
  async_message = 0x32,
  reject = 0x3f,
};

// RFC 7143 11.17.1
enum class RejectReason : uint8_t {
  data_digest_error = 0x02,
  snack_reject = 0x03,
  protocol_error = 0x04,
  command_not_supported = 0x05,
  task_in_progress = 0x07,
  invalid_pdu_field = 0x09,
};

struct Header {
  std::array<uint8_t, kHeaderBytes> raw{};

  Opcode opcode() const { return static_cast<Opcode>(raw[0] & 0x3f); }
  bool immediate() const { return raw[0] & 0x40; }
  bool final() const { return raw[1] & 0x80; }
  size_t ahs_bytes() const { return size_t{raw[4]} * 4; }
  uint32_t data_bytes() const { return get24(&raw[5]); }
  uint64_t lun() const { return get64(&raw[8]); }
  uint32_t task_tag() const { return get32(&raw[16]); }
  uint32_t transfer_tag() const { return get32(&raw[20]); }
  uint32_t cmd_sn() const { return get32(&raw[24]); }
  uint32_t exp_stat_sn() const { return get32(&raw[28]); }
  uint32_t word(size_t offset) const { return get32(&raw[offset]); }

  void set_opcode(Opcode opcode, uint8_t flags) {
    raw[0] = static_cast<uint8_t>(opcode);
    raw[1] = flags;
  }
  void set_data_bytes(uint32_t bytes) { put24(&raw[5], bytes); }
  void set_lun(uint64_t lun) { put64(&raw[8], lun); }
  void set_task_tag(uint32_t tag) { put32(&raw[16], tag); }
  void set_transfer_tag(uint32_t tag) { put32(&raw[20], tag); }
  void set_word(size_t offset, uint32_t value) { put32(&raw[offset], value); }
};

inline uint32_t padding_of(uint32_t bytes) {
  return (4 - bytes % 4) % 4;
}

// SCSI LUNs as SAM-5 4.7 prints them in 8 bytes: peripheral (below 256) and flat addressing (below 16384).
// A LUN in any other form is no LUN of ours.
inline constexpr uint32_t kNoLun = 0xffffffff;
uint32_t parse_lun(uint64_t wire);
uint64_t format_lun(uint32_t lun);

}  // namespace pnfs::target
