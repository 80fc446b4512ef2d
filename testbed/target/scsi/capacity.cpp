// READ CAPACITY(10) and (16), REPORT LUNS, GET LBA STATUS.
#include <algorithm>

#include "testbed/target/pdu.hpp"
#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

void execute_read_capacity_10(Command& c) {
  if (get32(&c.cdb[2]) != 0 && !(c.cdb[8] & 1)) return c.fail_field(2);
  std::array<uint8_t, 8> data{};
  put32(&data[0], static_cast<uint32_t>(std::min<uint64_t>(c.unit->blocks() - 1, 0xffffffff)));
  put32(&data[4], c.unit->block_bytes());
  c.reply(data, data.size());
}

void execute_read_capacity_16(Command& c) {
  std::array<uint8_t, 32> data{};
  put64(&data[0], c.unit->blocks() - 1);
  put32(&data[8], c.unit->block_bytes());
  // Logical blocks per physical block: 4096 bytes is what the backing store writes without reading first.
  uint8_t exponent = 0;
  while ((c.unit->block_bytes() << exponent) < 4096) ++exponent;
  data[13] = exponent;
  if (c.unit->config().thin) data[14] = 0xc0;  // LBPME, LBPRZ
  c.reply(data, get32(&c.cdb[10]));
}

void execute_report_luns(Command& c) {
  const uint32_t allocation = get32(&c.cdb[6]);
  const uint8_t select = c.cdb[2];
  if (select > 2) return c.fail_field(2);
  if (allocation < 16) return c.fail_field(6);
  std::vector<uint8_t> data(8);
  if (select != 1) {  // 1: well known units only; we have none
    for (const uint32_t lun : *c.luns) {
      data.resize(data.size() + 8);
      put64(&data[data.size() - 8], format_lun(lun));
    }
  }
  put32(&data[0], static_cast<uint32_t>(data.size() - 8));
  c.reply(data, allocation);
}

void execute_lba_status(Command& c) {
  c.lba = get64(&c.cdb[2]);
  const uint64_t end = c.unit->blocks();
  if (c.lba >= end) return c.fail(SenseKey::illegal_request, Asc::lba_out_of_range);
  const uint32_t allocation = get32(&c.cdb[10]);
  const uint64_t block = c.unit->block_bytes();
  std::vector<uint8_t> data(8);
  constexpr size_t kMaxDescriptors = 256;
  uint64_t at = c.lba;
  for (size_t i = 0; i < kMaxDescriptors && at < end && (i == 0 || data.size() + 16 <= allocation); ++i) {
    const Backing::Run run = c.unit->backing().run_at(at * block);
    // A block that is in part mapped is mapped.
    uint64_t blocks = run.mapped ? (run.length + block - 1) / block : run.length / block;
    const bool mapped = run.mapped || blocks == 0;
    blocks = std::clamp<uint64_t>(blocks, 1, std::min<uint64_t>(end - at, 0xffffffff));
    const size_t d = data.size();
    data.resize(d + 16);
    put64(&data[d], at);
    put32(&data[d + 8], static_cast<uint32_t>(blocks));
    data[d + 12] = mapped ? 0 : 1;
    at += blocks;
  }
  put32(&data[0], static_cast<uint32_t>(data.size() - 4));
  c.reply(data, allocation);
}

}  // namespace pnfs::target::scsi
