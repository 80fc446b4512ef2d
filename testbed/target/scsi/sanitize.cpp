// SANITIZE (SBC-3 5.20): overwrite, block erase, cryptographic erase, exit failure mode.
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

enum Action : uint8_t { kOverwrite = 1, kBlockErase = 2, kCryptoErase = 3, kExitFailure = 0x1f };

bool reserved_bits_set(const Command& c) {
  if (c.cdb[1] & 0x40) return true;
  return std::any_of(&c.cdb[2], &c.cdb[7], [](uint8_t b) { return b != 0; });
}

}  // namespace

void check_sanitize(Command& c) {
  const uint8_t action = c.cdb[1] & 0x1f;
  const uint16_t length = get16(&c.cdb[7]);
  if (reserved_bits_set(c)) return c.fail_field(1);
  if (action == kOverwrite) {
    if (length < 5 || length > c.unit->block_bytes() + 4) return c.fail_field(7);
    expect_parameters(c, length);
    return;
  }
  if (length != 0) return c.fail_field(7);
}

void execute_sanitize(Command& c) {
  LogicalUnit& unit = *c.unit;
  const uint64_t bytes = unit.blocks() * unit.block_bytes();
  const uint8_t action = c.cdb[1] & 0x1f;
  Result<void> done;
  if (action == kExitFailure) {
    unit.sanitize_failed = false;
    return;
  }
  if (action == kOverwrite) {
    const ConstBytes data = c.data_out;
    if (data.size() < 5) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
    const size_t pattern = get16(&data[2]);
    if ((data[0] & 0x1f) == 0 || (data[0] & 0x60)) return c.fail_parameter(0);
    if (pattern == 0 || pattern > unit.block_bytes() || pattern != data.size() - 4) return c.fail_parameter(2);
    // What one pass leaves behind is what the last of several leaves; an even number of inverted passes too.
    std::vector<uint8_t> block(unit.block_bytes());
    const bool invert = (data[0] & 0x80) && (data[0] & 0x1f) % 2 == 0;
    for (size_t i = 0; i < block.size(); ++i)
      block[i] = static_cast<uint8_t>(data[4 + i % pattern] ^ (invert ? 0xff : 0));
    std::vector<uint8_t> piece;
    while (piece.size() < 1u << 20) piece.insert(piece.end(), block.begin(), block.end());
    for (uint64_t at = 0; at < bytes && done; at += piece.size())
      done = unit.backing().write(at, ConstBytes(piece).first(std::min<uint64_t>(piece.size(), bytes - at)));
  } else {
    done = unit.backing().zero(0, bytes, true);
  }
  if (done) done = unit.backing().flush();
  if (done) return;
  unit.sanitize_failed = true;
  fail_medium(c, done.error(), true);
}

}  // namespace pnfs::target::scsi
