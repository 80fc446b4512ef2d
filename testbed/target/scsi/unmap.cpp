// UNMAP (SBC-3 5.28).
#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {
constexpr uint8_t kUnmapAnchor = 0x01;
constexpr size_t kUnmapListHeader = 8;
constexpr size_t kDescriptor = 16;
}  // namespace

void check_unmap(Command& c) {
  if (c.cdb[1] & kUnmapAnchor) return c.fail_field(1);
  const uint16_t length = get16(&c.cdb[7]);
  if (length == 0) return;  // SBC-3 5.28.1: not an error
  if (length < kUnmapListHeader) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  expect_parameters(c, length);
}

void execute_unmap(Command& c) {
  LogicalUnit& unit = *c.unit;
  if (c.data_out.size() < kUnmapListHeader) {
    if (c.transfer_bytes > 0) c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
    return;
  }
  size_t bytes = get16(&c.data_out[2]);
  bytes = std::min(bytes, c.data_out.size() - kUnmapListHeader) / kDescriptor * kDescriptor;
  const size_t count = bytes / kDescriptor;
  if (count > kMaxUnmapDescriptors) return c.fail_parameter(2);
  // All are checked before any is done.
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* d = &c.data_out[kUnmapListHeader + i * kDescriptor];
    const uint64_t lba = get64(d);
    const uint32_t blocks = get32(d + 8);
    if (lba > unit.blocks() || blocks > unit.blocks() - lba) {
      c.fail(SenseKey::illegal_request, Asc::lba_out_of_range);
      return;
    }
    if (blocks > kMaxUnmapBlocks)
      return c.fail_parameter(static_cast<uint16_t>(kUnmapListHeader + i * kDescriptor + 8));
  }
  const uint64_t block = unit.block_bytes();
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* d = &c.data_out[kUnmapListHeader + i * kDescriptor];
    const uint64_t lba = get64(d);
    const uint64_t blocks = get32(d + 8);
    if (i == 0) {
      c.lba = lba;
      c.blocks = blocks;
    }
    if (blocks == 0) continue;
    if (auto done = unit.backing().zero(lba * block, blocks * block, true); !done)
      return fail_medium(c, done.error(), true);
  }
  if (unit.write_cache) return;
  if (auto done = unit.backing().flush(); !done) fail_medium(c, done.error(), true);
}

}  // namespace pnfs::target::scsi
