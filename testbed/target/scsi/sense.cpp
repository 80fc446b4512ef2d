#include "testbed/target/scsi/sense.hpp"

#include "testbed/target/bytes.hpp"

namespace pnfs::target::scsi {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::good:
      return "GOOD";
    case Status::check_condition:
      return "CHECK CONDITION";
    case Status::condition_met:
      return "CONDITION MET";
    case Status::busy:
      return "BUSY";
    case Status::reservation_conflict:
      return "RESERVATION CONFLICT";
    case Status::task_set_full:
      return "TASK SET FULL";
    case Status::task_aborted:
      return "TASK ABORTED";
  }
  return "?";
}

namespace {

constexpr std::string_view kKeyNames[16] = {
    "NO SENSE",       "RECOVERED ERROR", "NOT READY",    "MEDIUM ERROR",   "HARDWARE ERROR", "ILLEGAL REQUEST",
    "UNIT ATTENTION", "DATA PROTECT",    "BLANK CHECK",  "vendor",         "COPY ABORTED",   "ABORTED COMMAND",
    "reserved",       "VOLUME OVERFLOW", "MISCOMPARE",   "COMPLETED"};

// Sense-key specific bytes: SPC-4 4.5.2.4.
void put_specific(const Sense& sense, uint8_t* to) {
  if (sense.field_pointer) {
    to[0] = static_cast<uint8_t>(0x80 | (sense.in_cdb ? 0x40 : 0));
    put16(to + 1, *sense.field_pointer);
  } else if (sense.progress) {
    to[0] = 0x80;
    put16(to + 1, *sense.progress);
  }
}

}  // namespace

std::string words_of(const Sense& sense) {
  return fmt::format("{}, {:04x}", kKeyNames[static_cast<unsigned>(sense.key) & 0xf], static_cast<unsigned>(sense.asc));
}

std::vector<uint8_t> encode(const Sense& sense, bool descriptor_format) {
  const bool specific = sense.field_pointer || sense.progress;
  if (!descriptor_format) {
    std::vector<uint8_t> out(18);
    out[0] = 0x70;
    out[2] = static_cast<uint8_t>(sense.key);
    if (sense.information && *sense.information <= 0xffffffff) {
      out[0] |= 0x80;
      put32(&out[3], static_cast<uint32_t>(*sense.information));
    }
    out[7] = 10;
    put16(&out[12], static_cast<uint16_t>(sense.asc));
    if (specific) put_specific(sense, &out[15]);
    return out;
  }
  std::vector<uint8_t> out(8);
  out[0] = 0x72;
  out[1] = static_cast<uint8_t>(sense.key);
  put16(&out[2], static_cast<uint16_t>(sense.asc));
  if (sense.information) {
    const size_t at = out.size();
    out.resize(at + 12);
    out[at + 1] = 10;
    out[at + 2] = 0x80;
    put64(&out[at + 4], *sense.information);
  }
  if (specific) {
    const size_t at = out.size();
    out.resize(at + 8);
    out[at] = 2;
    out[at + 1] = 6;
    put_specific(sense, &out[at + 4]);
  }
  out[7] = static_cast<uint8_t>(out.size() - 8);
  return out;
}

}  // namespace pnfs::target::scsi
