#include "testbed/target/scsi/dispatch.hpp"

#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

void Command::reply(ConstBytes data, uint64_t allocation_length) {
  const uint64_t length = std::min<uint64_t>(data.size(), allocation_length);
  transfer_bytes = length;
  data_in_bytes = static_cast<uint32_t>(std::min<uint64_t>(length, expected_bytes));
  if (data_in_bytes > 0) {
    data_in = pool->take(data_in_bytes);
    std::memcpy(data_in.data(), data.data(), data_in_bytes);
  }
  finished = true;
}

size_t CommandEntry::cdb_bytes() const {
  switch (opcode >> 5) {
    case 0:
      return 6;
    case 1:
    case 2:
      return 10;
    case 5:
      return 12;
    default:
      return 16;
  }
}

void no_check(Command&) {}

namespace {

// SPC-4 table 66 in short: who may do what while something is reserved.
bool conflicts_with_persistent(const Command& c) {
  const auto& pr = c.unit->reservations;
  if (pr.type() == PrType::none || c.entry->access == Access::any) return false;
  if (pr.holds(c.nexus->id)) return false;
  if (is_registrants_only(pr.type()) && pr.registered(c.nexus->id)) return false;
  const bool exclusive = pr.type() == PrType::exclusive_access || pr.type() == PrType::exclusive_access_registrants ||
                         pr.type() == PrType::exclusive_access_all;
  return exclusive || c.entry->access == Access::write;
}

bool conflicts_with_reserve6(const Command& c) {
  const auto& by = c.unit->reserved_by;
  if (!by || *by == c.nexus->id) return false;
  switch (c.opcode()) {
    case 0x12:  // INQUIRY
    case 0x03:  // REQUEST SENSE
    case 0xa0:  // REPORT LUNS
    case 0x17:  // RELEASE(6)
      return false;
    case 0x1e:
      return c.cdb[4] & 1;  // PREVENT; to allow is always allowed
    default:
      return true;
  }
}

// SBC-3 4.11.2
bool works_during_sanitize(uint8_t opcode) {
  switch (opcode) {
    case 0x03:  // REQUEST SENSE
    case 0x12:  // INQUIRY
    case 0x1a:  // MODE SENSE(6)
    case 0x5a:  // MODE SENSE(10)
    case 0x5e:  // PERSISTENT RESERVE IN
    case 0xa0:  // REPORT LUNS
    case 0xa3:  // REPORT SUPPORTED OPERATION CODES
      return true;
    default:
      return false;
  }
}

// INQUIRY and REPORT LUNS work without a unit (SPC-4 6.6.1); all else does not.
void admit_without_unit(Command& c) {
  if (c.opcode() == 0x12 || c.opcode() == 0xa0 || c.opcode() == 0x03) return;
  c.fail(SenseKey::illegal_request, Asc::lun_not_supported);
}

}  // namespace

void admit(Command& c) {
  c.entry = find_entry(c);
  if (!c.unit) {
    admit_without_unit(c);
    return;
  }
  LogicalUnit& unit = *c.unit;
  if (!c.entry || !(c.entry->traits & kAnyTime)) {
    if (const auto asc = unit.next_attention(c.nexus->id)) return c.fail(SenseKey::unit_attention, *asc);
  }
  if (!c.entry) {
    // SPC-4 4.2.5.1.5: a known opcode with an unknown service action is a bad field, not a bad opcode.
    const bool known = std::ranges::any_of(
        command_table(), [&](const CommandEntry& e) { return e.opcode == c.opcode() && is_offered(e, unit); });
    if (known) return c.fail_field(1);
    return c.fail(SenseKey::illegal_request, Asc::invalid_opcode);
  }
  if (conflicts_with_reserve6(c) || conflicts_with_persistent(c)) return c.finish(Status::reservation_conflict);
  if (unit.sanitize && !works_during_sanitize(c.opcode()))
    return c.fail(SenseKey::not_ready, Asc::sanitize_in_progress);
  if (unit.sanitize_failed && (c.entry->traits & kMedium) && c.opcode() != 0x48)
    return c.fail(SenseKey::medium_error, Asc::sanitize_failed);
  if ((c.entry->traits & kMedium) && unit.ejected) return c.fail(SenseKey::not_ready, Asc::medium_not_present);
  if ((c.entry->traits & kWrites) && unit.write_protected())
    return c.fail(SenseKey::data_protect, Asc::write_protected);
  c.entry->check(c);
}

void execute(Command& c) {
  c.entry->execute(c);
  c.finished = !c.deferred;
}

bool parse_range(Command& c) {
  const uint8_t* b = c.cdb.data();
  switch (c.entry->cdb_bytes()) {
    case 6:
      c.lba = get24(b + 1) & 0x1fffff;
      c.blocks = b[4] == 0 ? 256 : b[4];
      break;
    case 10:
      c.lba = get32(b + 2);
      c.blocks = get16(b + 7);
      break;
    case 12:
      c.lba = get32(b + 2);
      c.blocks = get32(b + 6);
      break;
    default:
      c.lba = get64(b + 2);
      c.blocks = get32(b + 10);
      break;
  }
  const uint64_t end = c.unit->blocks();
  if (c.lba <= end && c.blocks <= end - c.lba && (c.lba < end || c.blocks == 0)) return true;
  c.fail(SenseKey::illegal_request, Asc::lba_out_of_range);
  // SBC-3 4.18.1: the first LBA that is out of range.
  c.sense.information = std::max(c.lba, end);
  return false;
}

bool check_protect(Command& c) {
  if (c.cdb[1] >> 5 == 0) return true;
  c.fail_field(1);
  return false;
}

void expect_parameters(Command& c, uint64_t bytes) {
  c.takes_data = true;
  c.transfer_bytes = bytes;
}

void fail_medium(Command& c, const Error& error, bool writing) {
  if (error.code == Errc::no_space) return c.fail(SenseKey::data_protect, Asc::space_allocation_failed);
  c.fail(SenseKey::medium_error, writing ? Asc::write_error : Asc::unrecovered_read_error);
  c.sense.information = c.lba;
}

}  // namespace pnfs::target::scsi
