// COMPARE AND WRITE (SBC-3 5.2) and ORWRITE(16) (SBC-3 5.10). Both read and write without suspending in between, which
// is what makes them atomic for every session.
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

void check_compare_and_write(Command& c) {
  if (!check_protect(c)) return;
  c.lba = get64(&c.cdb[2]);
  c.blocks = c.cdb[13];
  const uint64_t end = c.unit->blocks();
  if (c.lba > end || c.blocks > end - c.lba || (c.lba == end && c.blocks > 0)) {
    c.fail(SenseKey::illegal_request, Asc::lba_out_of_range);
    return;
  }
  const uint64_t bytes = 2 * c.blocks * c.unit->block_bytes();
  // Half of another size would be compared with the wrong half.
  if (c.expected_bytes != bytes) return c.fail_field(13);
  expect_parameters(c, bytes);
}

void execute_compare_and_write(Command& c) {
  LogicalUnit& unit = *c.unit;
  if (c.blocks == 0) return;
  const size_t half = c.data_out.size() / 2;
  const ConstBytes expected = c.data_out.first(half);
  Buffer buffer = c.pool->take(half);
  const Bytes stored(buffer.data(), half);
  const uint64_t offset = c.lba * unit.block_bytes();
  if (auto done = unit.backing().read(offset, stored); !done) return fail_medium(c, done.error(), false);
  if (std::memcmp(stored.data(), expected.data(), half) != 0) {
    const auto differ = std::ranges::mismatch(stored, expected).in1;
    c.fail(SenseKey::miscompare, Asc::miscompare);
    c.sense.information = static_cast<uint64_t>(differ - stored.begin());
    return;
  }
  const bool through = (c.cdb[1] & 0x08) || !unit.write_cache;
  const ConstBytes fresh = c.data_out.subspan(half);
  auto done = through ? unit.backing().write_through(offset, fresh) : unit.backing().write(offset, fresh);
  if (!done) fail_medium(c, done.error(), true);
}

void check_or_write(Command& c) {
  check_write(c);
}

void execute_or_write(Command& c) {
  const uint64_t block = c.unit->block_bytes();
  const size_t whole = c.data_out.size() / block * block;
  if (whole == 0) return;
  Buffer merged = c.pool->take(whole);
  const Bytes bytes(merged.data(), whole);
  if (auto done = c.unit->backing().read(c.lba * block, bytes); !done) return fail_medium(c, done.error(), false);
  for (size_t i = 0; i < whole; ++i) bytes[i] |= c.data_out[i];
  c.data_out = bytes;
  execute_write(c);
  c.data_out = {};
}

}  // namespace pnfs::target::scsi
