// REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS (SPC-4 6.35, 6.36), READ DEFECT DATA (SBC-3 5.17).
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

constexpr std::array<uint8_t, 12> kNoTimeouts{0x00, 0x0a};  // descriptor length 10, all times unspecified

void report_all(Command& c, bool timeouts, uint32_t allocation) {
  std::vector<uint8_t> data(4);
  for (const CommandEntry& entry : command_table()) {
    if (!is_offered(entry, *c.unit)) continue;
    const size_t d = data.size();
    data.resize(d + 8);
    data[d] = entry.opcode;
    if (entry.service_action >= 0) {
      put16(&data[d + 2], static_cast<uint32_t>(entry.service_action));
      data[d + 5] |= 0x01;  // SERVACTV
    }
    put16(&data[d + 6], static_cast<uint32_t>(entry.cdb_bytes()));
    if (timeouts) {
      data[d + 5] |= 0x02;  // CTDP
      data.insert(data.end(), kNoTimeouts.begin(), kNoTimeouts.end());
    }
  }
  put32(&data[0], static_cast<uint32_t>(data.size() - 4));
  c.reply(data, allocation);
}

const CommandEntry* find(const LogicalUnit& unit, uint8_t opcode, int service_action) {
  for (const CommandEntry& entry : command_table()) {
    if (entry.opcode != opcode || !is_offered(entry, unit)) continue;
    if (service_action < 0 || entry.service_action < 0 || entry.service_action == service_action) return &entry;
  }
  return nullptr;
}

void report_one(Command& c, const CommandEntry* entry, bool timeouts, uint32_t allocation) {
  std::vector<uint8_t> data(4);
  if (!entry) {
    data[1] = 1;  // not supported
    return c.reply(data, allocation);
  }
  data[1] = 3;  // supported as the standard says
  const size_t bytes = entry->cdb_bytes();
  put16(&data[2], static_cast<uint32_t>(bytes));
  data.insert(data.end(), entry->usage.begin(), entry->usage.begin() + static_cast<ptrdiff_t>(bytes));
  if (entry->service_action >= 0)
    data[5] = static_cast<uint8_t>((data[5] & 0xe0) | static_cast<uint8_t>(entry->service_action));
  if (timeouts) {
    data[1] |= 0x80;
    data.insert(data.end(), kNoTimeouts.begin(), kNoTimeouts.end());
  }
  c.reply(data, allocation);
}

}  // namespace

void execute_report_opcodes(Command& c) {
  const bool timeouts = c.cdb[2] & 0x80;
  const uint8_t option = c.cdb[2] & 0x07;
  const uint8_t opcode = c.cdb[3];
  const uint16_t service_action = get16(&c.cdb[4]);
  const uint32_t allocation = get32(&c.cdb[6]);
  const CommandEntry* any = find(*c.unit, opcode, -1);
  const bool has_actions = any && any->service_action >= 0;
  switch (option) {
    case 0:
      return report_all(c, timeouts, allocation);
    case 1:
      if (has_actions) return c.fail_field(2);
      return report_one(c, any, timeouts, allocation);
    case 2:
      if (any && !has_actions) return c.fail_field(2);
      return report_one(c, find(*c.unit, opcode, service_action), timeouts, allocation);
    case 3:
      if (any && !has_actions && service_action != 0) return report_one(c, nullptr, timeouts, allocation);
      return report_one(c, find(*c.unit, opcode, service_action), timeouts, allocation);
    default:
      return c.fail_field(2);
  }
}

void execute_report_task_functions(Command& c) {
  const uint32_t allocation = get32(&c.cdb[6]);
  if (allocation < 4) return c.fail_field(6);
  std::vector<uint8_t> data(c.cdb[2] & 0x80 ? 16 : 4);
  data[0] = 0xda;  // abort task, abort task set, clear task set, LUN reset, target reset
  if (data.size() > 4) data[3] = 12;
  c.reply(data, allocation);
}

// A file has no defects: an empty list in the format that was asked for.
void execute_read_defects_10(Command& c) {
  std::array<uint8_t, 4> data{};
  data[1] = c.cdb[2] & 0x1f;
  c.reply(data, get16(&c.cdb[7]));
}

void execute_read_defects_12(Command& c) {
  std::array<uint8_t, 8> data{};
  data[1] = c.cdb[1] & 0x1f;
  c.reply(data, get32(&c.cdb[6]));
}

}  // namespace pnfs::target::scsi
