// SANITIZE (SBC-3 5.20): overwrite, block erase, cryptographic erase, exit failure mode. An overwrite takes its time,
// as on a disk: it runs in steps of the unit's sanitize rate, survives resets and lost sessions, and until it is done
// the unit answers NOT READY, SANITIZE IN PROGRESS.
#include <algorithm>

#include "testbed/target/scsi/families.hpp"

namespace pnfs::target::scsi {

namespace {

enum SanitizeAction : uint8_t { kOverwrite = 1, kBlockErase = 2, kCryptoErase = 3, kExitFailure = 0x1f };

constexpr auto kStep = std::chrono::milliseconds(50);

bool reserved_bits_set(const Command& c) {
  if (c.cdb[1] & 0x40) return true;
  return std::any_of(&c.cdb[2], &c.cdb[7], [](uint8_t b) { return b != 0; });
}

// Blocks of the pattern, a piece long.
std::vector<uint8_t> repeat(ConstBytes parameters, size_t pattern, size_t block_bytes) {
  std::vector<uint8_t> block(block_bytes);
  // What one pass leaves behind is what the last of several leaves; with INVERT an even number leaves the inverse.
  const bool invert = (parameters[0] & 0x80) && (parameters[0] & 0x1f) % 2 == 0;
  for (size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<uint8_t>(parameters[4 + i % pattern] ^ (invert ? 0xff : 0));
  std::vector<uint8_t> piece;
  while (piece.size() < 1u << 20) piece.insert(piece.end(), block.begin(), block.end());
  return piece;
}

void finish(LogicalUnit& unit, Result<void> done) {
  const auto run = std::move(unit.sanitize);
  if (done) done = unit.backing().flush();
  unit.sanitize_failed = !done;
  if (run->answer) run->answer(done.has_value());
}

// Writes up to `budget` bytes. True when the end is reached or something failed, and finish() has been called.
bool advance(LogicalUnit& unit, uint64_t budget) {
  const uint64_t total = unit.blocks() * unit.block_bytes();
  SanitizeRun& run = *unit.sanitize;
  while (run.done < total && budget > 0) {
    const size_t count = std::min({uint64_t{run.piece.size()}, total - run.done, budget});
    if (auto ok = unit.backing().write(run.done, ConstBytes(run.piece).first(count)); !ok) {
      finish(unit, ok);
      return true;
    }
    run.done += count;
    budget -= count;
  }
  if (run.done < total) return false;
  finish(unit, {});
  return true;
}

void step(LogicalUnit& unit) {
  const uint64_t block = unit.block_bytes();
  const uint64_t budget = std::max(unit.config().sanitize_bytes_per_s / 20 / block, uint64_t{1}) * block;
  if (advance(unit, budget)) return;
  unit.observer()->later(kStep, [&unit, alive = std::weak_ptr(unit.alive())] {
    if (!alive.expired() && unit.sanitize) step(unit);
  });
}

void overwrite(Command& c) {
  LogicalUnit& unit = *c.unit;
  const ConstBytes data = c.data_out;
  if (data.size() < 5) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  const size_t pattern = get16(&data[2]);
  if ((data[0] & 0x1f) == 0 || (data[0] & 0x60)) return c.fail_parameter(0);
  if (pattern == 0 || pattern > unit.block_bytes() || pattern != data.size() - 4) return c.fail_parameter(2);
  unit.sanitize = std::make_unique<SanitizeRun>();
  unit.sanitize->piece = repeat(data, pattern, unit.block_bytes());
  if (unit.config().sanitize_bytes_per_s == 0 || !unit.observer()) {
    advance(unit, UINT64_MAX);
    if (unit.sanitize_failed) c.fail(SenseKey::medium_error, Asc::sanitize_failed);
    return;
  }
  const bool immediate = c.cdb[1] & 0x80;
  c.deferred = !immediate;
  step(unit);
  if (!unit.sanitize) c.deferred = false;  // it was over at once
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
  const uint8_t action = c.cdb[1] & 0x1f;
  if (action == kExitFailure) {
    unit.sanitize_failed = false;
    return;
  }
  if (action == kOverwrite) return overwrite(c);
  Result<void> done = unit.backing().zero(0, unit.blocks() * unit.block_bytes(), true);
  if (done) done = unit.backing().flush();
  if (done) return;
  unit.sanitize_failed = true;
  fail_medium(c, done.error(), true);
}

}  // namespace pnfs::target::scsi
