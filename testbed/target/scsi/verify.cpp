// VERIFY and WRITE AND VERIFY of 10, 12 and 16 bytes (SBC-3 5.33, 5.44).
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

uint8_t byte_check(const Command& c) {
  return c.cdb[1] >> 1 & 3;
}

// Reads what is stored in pieces and compares; a difference becomes MISCOMPARE with the offset of the first bad byte.
void compare(Command& c, uint64_t offset, ConstBytes expected, uint64_t repeat) {
  constexpr size_t kPiece = 262144;
  const uint64_t total = expected.size() * repeat;
  Buffer stored = c.pool->take(std::min<uint64_t>(kPiece, total));
  const size_t step = expected.size() > kPiece ? kPiece : kPiece / expected.size() * expected.size();
  for (uint64_t done = 0; done < total;) {
    const size_t count = std::min<uint64_t>(step, total - done);
    const Bytes bytes(stored.data(), count);
    if (auto ok = c.unit->backing().read(offset + done, bytes); !ok) return fail_medium(c, ok.error(), false);
    for (size_t i = 0; i < count;) {
      const size_t at = (done + i) % expected.size();
      const size_t n = std::min(count - i, expected.size() - at);
      if (std::memcmp(&bytes[i], &expected[at], n) != 0) {
        const auto differ =
            std::mismatch(bytes.begin() + static_cast<ptrdiff_t>(i), bytes.begin() + static_cast<ptrdiff_t>(i + n),
                          expected.begin() + static_cast<ptrdiff_t>(at));
        c.fail(SenseKey::miscompare, Asc::miscompare);
        c.sense.information = done + static_cast<uint64_t>(differ.first - bytes.begin());
        return;
      }
      i += n;
    }
    done += count;
  }
}

}  // namespace

void check_verify(Command& c) {
  if (!check_protect(c) || !parse_range(c)) return;
  const uint64_t block = c.unit->block_bytes();
  switch (byte_check(c)) {
    case 0:
      break;
    case 1:
      if (c.blocks > c.unit->max_transfer_blocks()) return c.fail_field(c.entry->cdb_bytes() == 16 ? 10 : 6);
      expect_parameters(c, c.blocks * block);
      break;
    case 3:
      expect_parameters(c, c.blocks == 0 ? 0 : block);
      break;
    default:
      c.fail_field(1);
  }
}

void execute_verify(Command& c) {
  if (byte_check(c) == 0 || c.data_out.empty()) return;
  const uint64_t block = c.unit->block_bytes();
  if (byte_check(c) == 3 && c.data_out.size() < block)
    return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  compare(c, c.lba * block, c.data_out.first(c.data_out.size() / block * block), byte_check(c) == 3 ? c.blocks : 1);
}

void check_write_verify(Command& c) {
  if (byte_check(c) > 1) return c.fail_field(1);
  check_write(c);
}

void execute_write_verify(Command& c) {
  // "Verified" means it is on the medium: written through, and read back when asked to compare.
  LogicalUnit& unit = *c.unit;
  // Bit 3 is FUA for execute_write and reserved here; a verified write is as good as one with FUA.
  c.cdb[1] |= 0x08;
  execute_write(c);
  if (c.status != Status::good || byte_check(c) == 0) return;
  const uint64_t block = unit.block_bytes();
  const ConstBytes whole = c.data_out.first(c.data_out.size() / block * block);
  if (!whole.empty()) compare(c, c.lba * block, whole, 1);
}

}  // namespace pnfs::target::scsi
