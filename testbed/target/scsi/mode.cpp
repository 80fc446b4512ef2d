// MODE SENSE and MODE SELECT of 6 and 10 bytes (SPC-4 6.9 to 6.12) with the pages a disk must have.
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

enum class Control : uint8_t { current = 0, changeable = 1, defaults = 2, saved = 3 };

constexpr uint8_t kRecovery = 0x01;
constexpr uint8_t kCaching = 0x08;
constexpr uint8_t kControlPage = 0x0a;
constexpr uint8_t kExceptions = 0x1c;
constexpr uint8_t kAll = 0x3f;

struct Settings {
  bool write_cache;
  bool write_protect;
  bool descriptor_sense;
};

// One page with the given settings; for changeable values the settings are a mask.
std::vector<uint8_t> page_of(uint8_t code, const Settings& s, bool mask) {
  std::vector<uint8_t> page;
  switch (code) {
    case kRecovery:
      page.resize(12);
      if (!mask) page[2] = 0x80;  // AWRE
      break;
    case kCaching:
      page.resize(20);
      page[2] = static_cast<uint8_t>(s.write_cache ? 0x04 : 0);
      if (!mask) page[12] = 0x20;  // DRA: no read ahead
      break;
    case kControlPage:
      page.resize(12);
      page[2] = static_cast<uint8_t>(s.descriptor_sense ? 0x04 : 0);
      if (!mask) page[3] = 0x10;  // unrestricted reordering
      page[4] = static_cast<uint8_t>(s.write_protect ? 0x08 : 0);
      break;
    default:
      page.resize(12);
      break;
  }
  page[0] = code;
  page[1] = static_cast<uint8_t>(page.size() - 2);
  return page;
}

std::vector<uint8_t> page_for(const LogicalUnit& unit, uint8_t code, Control control) {
  const bool default_cache = unit.config().cache != CacheMode::write_through;
  switch (control) {
    case Control::changeable:
      return page_of(code, {default_cache, true, true}, true);
    case Control::defaults:
      return page_of(code, {default_cache, false, false}, false);
    default:
      return page_of(code, {unit.write_cache, unit.software_write_protect, unit.descriptor_sense}, false);
  }
}

constexpr std::array<uint8_t, 4> kModePages{kRecovery, kCaching, kControlPage, kExceptions};

std::vector<uint8_t> block_descriptor(const LogicalUnit& unit, bool large) {
  std::vector<uint8_t> d(large ? 16 : 8);
  if (large) {
    put64(&d[0], unit.blocks());
    put32(&d[12], unit.block_bytes());
  } else {
    put32(&d[0], static_cast<uint32_t>(std::min<uint64_t>(unit.blocks(), 0xffffffff)));
    put24(&d[5], unit.block_bytes());
  }
  return d;
}

void apply(LogicalUnit& unit, ConstBytes page) {
  if (page[0] == kCaching) {
    const bool enable = page[2] & 0x04;
    if (unit.write_cache && !enable) (void)unit.backing().flush();
    unit.write_cache = enable;
  } else if (page[0] == kControlPage) {
    unit.descriptor_sense = page[2] & 0x04;
    unit.software_write_protect = page[4] & 0x08;
  }
}

}  // namespace

void execute_mode_sense(Command& c) {
  const LogicalUnit& unit = *c.unit;
  const bool ten = c.opcode() == 0x5a;
  const auto control = static_cast<Control>(c.cdb[2] >> 6);
  const uint8_t code = c.cdb[2] & 0x3f;
  const uint8_t subpage = c.cdb[3];
  if (control == Control::saved) return c.fail(SenseKey::illegal_request, Asc::saving_parameters_not_supported);
  if (subpage != 0 && subpage != 0xff) return c.fail_field(3);
  const bool known = code == kAll || std::ranges::find(kModePages, code) != kModePages.end();
  if (!known) return c.fail_field(2);

  std::vector<uint8_t> data(ten ? 8 : 4);
  const bool large = ten && (c.cdb[1] & 0x10);
  size_t descriptor_bytes = 0;
  if (!(c.cdb[1] & 0x08)) {
    const auto descriptor = block_descriptor(unit, large);
    descriptor_bytes = descriptor.size();
    data.insert(data.end(), descriptor.begin(), descriptor.end());
  }
  for (const uint8_t each : kModePages) {
    if (code != kAll && code != each) continue;
    const auto page = page_for(unit, each, control);
    data.insert(data.end(), page.begin(), page.end());
  }
  const auto device = static_cast<uint8_t>((unit.write_protected() ? 0x80 : 0) | 0x10);  // WP, DPOFUA
  if (ten) {
    put16(&data[0], static_cast<uint32_t>(data.size() - 2));
    data[3] = device;
    data[4] = large ? 1 : 0;
    put16(&data[6], static_cast<uint32_t>(descriptor_bytes));
    return c.reply(data, get16(&c.cdb[7]));
  }
  data[0] = static_cast<uint8_t>(data.size() - 1);
  data[2] = device;
  data[3] = static_cast<uint8_t>(descriptor_bytes);
  c.reply(data, c.cdb[4]);
}

void check_mode_select(Command& c) {
  if (!(c.cdb[1] & 0x10) || (c.cdb[1] & 0x01)) return c.fail_field(1);  // PF must be set; SP: nothing is saved
  expect_parameters(c, c.opcode() == 0x55 ? get16(&c.cdb[7]) : c.cdb[4]);
}

void execute_mode_select(Command& c) {
  LogicalUnit& unit = *c.unit;
  const ConstBytes data = c.data_out;
  if (data.empty()) return;  // SPC-4 6.9: no parameter list, no change
  const size_t header = c.opcode() == 0x55 ? 8 : 4;
  if (data.size() < header) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  const size_t descriptors = header == 8 ? get16(&data[6]) : data[3];
  if (data.size() < header + descriptors) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  std::vector<ConstBytes> pages;
  // Everything is checked before anything changes (SPC-4 6.9).
  for (size_t at = header + descriptors; at < data.size();) {
    if (data.size() - at < 2) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
    const uint8_t code = data[at] & 0x3f;
    if ((data[at] & 0x40) || std::ranges::find(kModePages, code) == kModePages.end())
      return c.fail_parameter(static_cast<uint16_t>(at));
    const auto current = page_for(unit, code, Control::current);
    const auto mask = page_for(unit, code, Control::changeable);
    if (data[at + 1] != current[1]) return c.fail_parameter(static_cast<uint16_t>(at + 1));
    if (data.size() - at < current.size()) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
    for (size_t i = 2; i < current.size(); ++i) {
      if ((data[at + i] ^ current[i]) & ~mask[i]) return c.fail_parameter(static_cast<uint16_t>(at + i));
    }
    pages.push_back(data.subspan(at, current.size()));
    at += current.size();
  }
  for (const ConstBytes page : pages) apply(unit, page);
  if (!pages.empty()) unit.attention_others(c.nexus->id, Asc::mode_parameters_changed);
}

}  // namespace pnfs::target::scsi
