// READ and WRITE of 6, 10, 12 and 16 bytes, WRITE ATOMIC(16), PRE-FETCH, SYNCHRONIZE CACHE (SBC-3 5.11 to 5.47).
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

bool check_length(Command& c) {
  if (c.blocks <= c.unit->max_transfer_blocks()) return true;
  c.fail_field(c.entry->cdb_bytes() == 16 ? 10 : c.entry->cdb_bytes() == 12 ? 6 : 7);
  return false;
}

bool check_transfer(Command& c) {
  if (c.entry->cdb_bytes() != 6 && !check_protect(c)) return false;
  return parse_range(c) && check_length(c);
}

bool is_fua(const Command& c) {
  return c.entry->cdb_bytes() != 6 && (c.cdb[1] & 0x08);
}

}  // namespace

void check_read(Command& c) {
  if (check_transfer(c)) c.transfer_bytes = c.blocks * c.unit->block_bytes();
}

void execute_read(Command& c) {
  LogicalUnit& unit = *c.unit;
  if (is_fua(c) && unit.write_cache) {
    // SBC-3 5.8: with FUA the data must come from the medium, so what is newer in the cache goes there first.
    if (auto done = unit.backing().flush(); !done) return fail_medium(c, done.error(), true);
  }
  const auto wanted = static_cast<uint32_t>(std::min<uint64_t>(c.transfer_bytes, c.expected_bytes));
  if (wanted == 0) return;
  // The backing store reads whole blocks; the initiator may have room for less.
  const uint64_t block = unit.block_bytes();
  const uint64_t whole = (wanted + block - 1) / block * block;
  c.data_in = c.pool->take(whole);
  const auto done = unit.backing().read(c.lba * block, Bytes(c.data_in.data(), whole));
  if (!done) return fail_medium(c, done.error(), false);
  c.data_in_bytes = wanted;
}

void check_write(Command& c) {
  if (!check_transfer(c)) return;
  expect_parameters(c, c.blocks * c.unit->block_bytes());
}

void execute_write(Command& c) {
  LogicalUnit& unit = *c.unit;
  const uint64_t block = unit.block_bytes();
  const uint64_t offset = c.lba * block;
  const auto put = [&](uint64_t at, ConstBytes data) {
    const bool through = is_fua(c) || !unit.write_cache;
    return through ? unit.backing().write_through(at, data) : unit.backing().write(at, data);
  };
  const size_t whole = c.data_out.size() / block * block;
  if (whole > 0) {
    if (auto done = put(offset, c.data_out.first(whole)); !done) return fail_medium(c, done.error(), true);
  }
  if (const ConstBytes rest = c.data_out.subspan(whole); !rest.empty()) {
    // The initiator has less data than the CDB says, and ends inside a block: the block keeps its other bytes.
    Buffer merged = c.pool->take(block);
    const Bytes bytes(merged.data(), block);
    if (auto done = unit.backing().read(offset + whole, bytes); !done) return fail_medium(c, done.error(), false);
    std::copy(rest.begin(), rest.end(), bytes.begin());
    if (auto done = put(offset + whole, bytes); !done) return fail_medium(c, done.error(), true);
  }
}

void check_write_atomic(Command& c) {
  if (!check_protect(c)) return;
  // Like WRITE(16), but two bytes of it are the atomic boundary (SBC-4 5.48).
  const uint32_t boundary = get16(&c.cdb[10]);
  c.lba = get64(&c.cdb[2]);
  c.blocks = get16(&c.cdb[12]);
  const uint64_t end = c.unit->blocks();
  if (c.lba > end || c.blocks > end - c.lba || (c.lba == end && c.blocks > 0)) {
    c.fail(SenseKey::illegal_request, Asc::lba_out_of_range);
    return;
  }
  if (boundary != 0) return c.fail_field(10);  // VPD page 0xB0 offers no boundary
  if (c.blocks > kMaxAtomicBytes / c.unit->block_bytes()) return c.fail_field(12);
  expect_parameters(c, c.blocks * c.unit->block_bytes());
}

void check_prefetch(Command& c) {
  parse_range(c);
}

void execute_prefetch(Command& c) {
  // SBC-3 5.9: GOOD when not all of it fits in the cache or IMMED is set; we keep no read cache, so always GOOD.
  c.status = Status::good;
}

void check_sync_cache(Command& c) {
  parse_range(c);
}

void execute_sync_cache(Command& c) {
  // The whole cache: more than the range asked for is always allowed.
  if (auto done = c.unit->backing().flush(); !done) fail_medium(c, done.error(), true);
}

}  // namespace pnfs::target::scsi
