// TEST UNIT READY, REQUEST SENSE, START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL, RESERVE(6) and RELEASE(6).
#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

// admit() has answered for everything that could be wrong.
void execute_test_unit_ready(Command&) {}

void execute_request_sense(Command& c) {
  Sense sense;
  if (!c.unit) {
    sense = {SenseKey::illegal_request, Asc::lun_not_supported};
  } else if (const auto asc = c.unit->next_attention(c.nexus->id)) {
    sense = {SenseKey::unit_attention, *asc};
  } else if (c.unit->sanitize) {
    sense = {SenseKey::not_ready, Asc::sanitize_in_progress};
    const uint64_t total = c.unit->blocks() * c.unit->block_bytes();
    sense.progress = static_cast<uint16_t>(c.unit->sanitize->done * 65535 / total);
  } else if (c.unit->ejected) {
    sense = {SenseKey::not_ready, Asc::medium_not_present};
  }
  c.reply(encode(sense, c.cdb[1] & 1), c.cdb[4]);
}

void execute_start_stop(Command& c) {
  LogicalUnit& unit = *c.unit;
  const bool start = c.cdb[4] & 1;
  const bool load_eject = c.cdb[4] & 2;
  const bool no_flush = c.cdb[4] & 4;
  const uint8_t power = c.cdb[4] >> 4;
  if (power != 0) return;  // SBC-3 5.20: with a power condition, START and LOEJ are ignored
  if (!start && !no_flush) {
    if (auto done = unit.backing().flush(); !done) return fail_medium(c, done.error(), true);
  }
  if (!load_eject) return;  // a file does not spin: stopped or started, it answers
  if (!unit.config().removable) return c.fail_field(4);
  if (!unit.removal_prevented_by.empty()) return c.fail(SenseKey::illegal_request, Asc::medium_removal_prevented);
  const bool was_ejected = unit.ejected;
  unit.ejected = !start;
  if (was_ejected && start) unit.attention_others(c.nexus->id, Asc::medium_may_have_changed);
}

void execute_prevent_allow(Command& c) {
  if (c.cdb[4] & 1) {
    c.unit->removal_prevented_by.insert(c.nexus->id);
  } else {
    c.unit->removal_prevented_by.erase(c.nexus->id);
  }
}

void execute_reserve6(Command& c) {
  // SPC-4 5.12.1: the two kinds of reservation exclude each other.
  if (!c.unit->reservations.registrants().empty()) {
    if (!c.unit->reservations.holds(c.nexus->id)) c.finish(Status::reservation_conflict);
    return;
  }
  c.unit->reserved_by = c.nexus->id;
}

void execute_release6(Command& c) {
  if (c.unit->reserved_by == c.nexus->id) c.unit->reserved_by.reset();
}

}  // namespace pnfs::target::scsi
