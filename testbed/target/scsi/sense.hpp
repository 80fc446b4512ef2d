// SCSI status and sense data (SAM-5 5.3.1, SPC-4 4.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pnfs::target::scsi {

enum class Status : uint8_t {
  good = 0x00,
  check_condition = 0x02,
  condition_met = 0x04,
  busy = 0x08,
  reservation_conflict = 0x18,
  task_set_full = 0x28,
  task_aborted = 0x40,
};

std::string_view to_string(Status status);

enum class SenseKey : uint8_t {
  no_sense = 0x0,
  recovered_error = 0x1,
  not_ready = 0x2,
  medium_error = 0x3,
  hardware_error = 0x4,
  illegal_request = 0x5,
  unit_attention = 0x6,
  data_protect = 0x7,
  copy_aborted = 0xa,
  aborted_command = 0xb,
  miscompare = 0xe,
};

// Additional sense code and qualifier, as one number (SPC-4 annex F).
enum class Asc : uint16_t {
  none = 0x0000,
  becoming_ready = 0x0401,
  initializing_command_required = 0x0402,
  sanitize_in_progress = 0x041b,
  write_error = 0x0c00,
  unexpected_unsolicited_data = 0x0c0c,
  not_enough_unsolicited_data = 0x0c0d,
  unrecovered_read_error = 0x1100,
  parameter_list_length_error = 0x1a00,
  miscompare = 0x1d00,
  invalid_opcode = 0x2000,
  lba_out_of_range = 0x2100,
  invalid_field_in_cdb = 0x2400,
  lun_not_supported = 0x2500,
  invalid_field_in_parameter_list = 0x2600,
  invalid_release_of_reservation = 0x2604,
  too_many_target_descriptors = 0x2606,
  unsupported_target_descriptor = 0x2607,
  too_many_segment_descriptors = 0x2608,
  unsupported_segment_descriptor = 0x2609,
  write_protected = 0x2700,
  space_allocation_failed = 0x2707,
  medium_may_have_changed = 0x2800,
  power_on_or_reset = 0x2900,
  bus_device_reset = 0x2903,
  nexus_loss = 0x2907,
  mode_parameters_changed = 0x2a01,
  reservations_preempted = 0x2a03,
  reservations_released = 0x2a04,
  registrations_preempted = 0x2a05,
  capacity_changed = 0x2a09,
  commands_cleared_by_another_initiator = 0x2f00,
  saving_parameters_not_supported = 0x3900,
  sanitize_failed = 0x3103,
  medium_not_present = 0x3a00,
  logical_unit_not_configured = 0x6803,
  internal_target_failure = 0x4400,
  protocol_service_crc_error = 0x4705,
  data_phase_error = 0x4b00,
  invalid_transfer_tag = 0x4b01,
  data_offset_error = 0x4b05,
  initiator_response_timeout = 0x4b06,
  medium_removal_prevented = 0x5302,
  insufficient_registration_resources = 0x5504,
  copy_target_unreachable = 0x0d02,
};

struct Sense {
  SenseKey key = SenseKey::no_sense;
  Asc asc = Asc::none;
  std::optional<uint64_t> information;    // an LBA or an offset, as the command defines
  std::optional<uint16_t> field_pointer;  // the offending byte; set with in_cdb
  bool in_cdb = true;
  std::optional<uint16_t> progress;  // 1/65536 done
};

// "MEDIUM ERROR, 0c00": the key's name and the additional sense code.
std::string words_of(const Sense& sense);

// Fixed (0x70) or, when D_SENSE is set, descriptor (0x72) format: SPC-4 4.5.2, 4.5.3.
std::vector<uint8_t> encode(const Sense& sense, bool descriptor_format);

}  // namespace pnfs::target::scsi
