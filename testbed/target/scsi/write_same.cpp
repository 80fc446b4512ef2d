// WRITE SAME(10) and (16) (SBC-3 5.49, 5.50).
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

constexpr uint8_t kUnmap = 0x08;
constexpr uint8_t kWriteSameAnchor = 0x10;
constexpr uint8_t kNoData = 0x01;  // NDOB, only in WRITE SAME(16)

bool has_data(const Command& c) {
  return c.entry->cdb_bytes() == 10 || !(c.cdb[1] & kNoData);
}

Result<void> fill(Command& c, ConstBytes block) {
  constexpr size_t kPiece = 1u << 20;
  Buffer buffer = c.pool->take(kPiece);
  const uint64_t total = c.blocks * block.size();
  const size_t filled = std::min<uint64_t>(kPiece, total);
  for (size_t at = 0; at < filled; at += block.size()) std::memcpy(buffer.data() + at, block.data(), block.size());
  for (uint64_t done = 0; done < total;) {
    const size_t count = std::min<uint64_t>(filled, total - done);
    const auto ok = c.unit->backing().write(c.lba * block.size() + done, ConstBytes(buffer.data(), count));
    if (!ok) return ok;
    done += count;
  }
  return {};
}

}  // namespace

void check_write_same(Command& c) {
  if (!check_protect(c)) return;
  const uint8_t flags = c.cdb[1];
  if (flags & kWriteSameAnchor) return c.fail_field(1);  // VPD page 0xB2: ANC_SUP is 0
  if ((flags & kUnmap) && !c.unit->config().thin) return c.fail_field(1);
  if (!parse_range(c)) return;
  if (c.blocks == 0 && c.unit->refuses_zero_write_same()) return c.fail_field(c.entry->cdb_bytes() == 16 ? 10 : 7);
  if (c.blocks == 0) c.blocks = c.unit->blocks() - c.lba;  // WSNZ is 0: up to the end (SBC-3 5.49)
  if (!has_data(c)) return;
  const uint32_t block = c.unit->block_bytes();
  // One block exactly: with another amount the initiator and we disagree about the block size.
  if (c.expected_bytes != block) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  expect_parameters(c, block);
}

void execute_write_same(Command& c) {
  LogicalUnit& unit = *c.unit;
  const uint64_t block = unit.block_bytes();
  const bool zeros = c.data_out.empty() || std::ranges::all_of(c.data_out, [](uint8_t b) { return b == 0; });
  // LBPRZ: deallocated blocks read as zeros, so only zeros may be deallocated (SBC-3 5.49).
  auto done = zeros ? unit.backing().zero(c.lba * block, c.blocks * block, c.cdb[1] & kUnmap) : fill(c, c.data_out);
  if (done && !unit.write_cache) done = unit.backing().flush();
  if (!done) fail_medium(c, done.error(), true);
}

}  // namespace pnfs::target::scsi
