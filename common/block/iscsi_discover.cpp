// What the unit can do: READ CAPACITY(16), MODE SENSE, VPD pages, REPORT SUPPORTED OPCODES, PRIN REPORT CAPABILITIES. A
// page that is missing means the feature is missing.
#include "common/block/iscsi_store_impl.hpp"

namespace pnfs::block {

namespace {
uint8_t byte_at(std::span<const std::byte> bytes, size_t at) {
  return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0;
}
}  // namespace

io::Task<Result<size_t>> IscsiBlockStore::fetch(std::shared_ptr<IscsiConnection> connection, Cdb cdb,
                                                std::span<std::byte> into) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    scsi_iovec iov{into.data(), into.size()};
    const Outcome outcome =
        co_await connection->command(cdb, Direction::in, std::span(&iov, 1), static_cast<uint32_t>(into.size()));
    if (outcome.status == Status::good) co_return into.size() - std::min<size_t>(outcome.residual, into.size());
    if (outcome.status == Status::lost) co_return error(Errc::closed, "{}: {}", name(), connection->why_lost());
    if (outcome.status == Status::reservation_conflict)
      co_return error(Errc::fenced, "{}: {}", name(), outcome.words());
    if (outcome.key == SenseKey::unit_attention && is_reset(outcome.asc)) ++epoch_;
    if (outcome.status == Status::check_condition && outcome.key == SenseKey::illegal_request) {
      co_return error(Errc::unsupported, "{}: {}", name(), outcome.words());
    }
    if (outcome.key != SenseKey::unit_attention) co_await timers_.sleep(std::chrono::milliseconds(20));
  }
  co_return error(Errc::timeout, "{} does not say what it can do", name());
}

io::Task<Result<void>> IscsiBlockStore::discover(std::shared_ptr<IscsiConnection> connection) {
  std::array<std::byte, 255> page{};
  Result<size_t> got = co_await fetch(connection, cdb_inquiry(false, 0, 96), std::span(page).first(96));
  if (!got) co_return got.error();
  const uint8_t peripheral = byte_at(page, 0);
  // Peripheral qualifier 3: there is no such unit. Type 0: a disk.
  if (peripheral >> 5 != 0) co_return error(Errc::not_found, "{}: the target has no LUN {}", name(), url_.lun);
  if ((peripheral & 0x1f) != 0) {
    co_return error(Errc::unsupported, "{} is not a disk (SCSI device type {})", name(), peripheral & 0x1f);
  }
  page = {};
  got = co_await fetch(connection, cdb_read_capacity16(32), std::span(page).first(32));
  if (!got) co_return got.error().with_context("READ CAPACITY(16)");
  geometry_.blocks = be64(page, 0) + 1;
  geometry_.block_bytes = be32(page, 8);
  if (geometry_.blocks == 0 || geometry_.block_bytes < 512 || geometry_.block_bytes > 65536 ||
      !std::has_single_bit(geometry_.block_bytes)) {
    co_return error(Errc::unsupported, "{} says it has {} blocks of {} bytes", name(), geometry_.blocks,
                    geometry_.block_bytes);
  }
  geometry_.physical_bytes = geometry_.block_bytes << (byte_at(page, 13) & 0x0f);
  const bool thin = (byte_at(page, 14) & 0x80) != 0;
  const bool reads_zero = (byte_at(page, 14) & 0x40) != 0;
  geometry_.unmap = thin;
  geometry_.unmap_zeroes = thin && reads_zero;
  co_await discover_provisioning(connection);
  co_await discover_reservations(connection);
  co_return co_await discover_for_registered(connection);
}

// Of what SPC-4 5.12.1 grants registered nodes only while another one has reserved the unit. Refused, the careful
// answers stand until register_key() asks again.
io::Task<Result<void>> IscsiBlockStore::discover_for_registered(std::shared_ptr<IscsiConnection> connection) {
  auto refused = [](const Result<size_t>& got) { return !got && got.error().code == Errc::fenced; };
  std::array<std::byte, 255> page{};
  Result<size_t> got = co_await fetch(connection, cdb_mode_sense6(0x08, 255), page);
  ask_again_ = refused(got);
  if (got && *got >= 4) {
    geometry_.read_only = (byte_at(page, 2) & 0x80) != 0;
    geometry_.fua = (byte_at(page, 2) & 0x10) != 0;
    const size_t caching = 4 + byte_at(page, 3);
    const bool has_page = *got > caching + 2 && (byte_at(page, caching) & 0x3f) == 0x08;
    geometry_.write_cache = !has_page || (byte_at(page, caching + 2) & 0x04) != 0;
  } else if (!got && !ask_again_ && got.error().code != Errc::unsupported) {
    co_return got.error();
  } else {
    if (!ask_again_) spdlog::warn("{}: no caching mode page; every flush is sent", name());
    geometry_.write_cache = true;
  }
  if (geometry_.persistent_reservations) {
    page = {};
    got = co_await fetch(connection, cdb_report_opcode(0x5f, 5, true, 32), std::span(page).first(32));
    geometry_.preempt_and_abort = got && (byte_at(page, 1) & 0x07) == 3;
    ask_again_ = ask_again_ || refused(got);
    page = {};
    got = co_await fetch(connection, cdb_report_opcode(0x89, 0, false, 32), std::span(page).first(32));
    // Refused, the VPD page's word stands; a unit that then does not know the command is noticed when it is used.
    if (!refused(got) && (!got || (byte_at(page, 1) & 0x07) != 3)) geometry_.compare_and_write_bytes = 0;
  }
  if (connection->lost()) co_return error(Errc::closed, "{}: {}", name(), connection->why_lost());
  co_return Result<void>();
}

io::Task<void> IscsiBlockStore::discover_provisioning(std::shared_ptr<IscsiConnection> connection) {
  std::array<std::byte, 64> page{};
  Result<size_t> got = co_await fetch(connection, cdb_inquiry(true, 0xb0, 64), page);
  uint64_t max_write_same_blocks = 0;
  if (got && *got >= 16) {
    if (const uint64_t blocks = be32(page, 8); blocks != 0) {
      max_transfer_bytes_ = static_cast<uint32_t>(
          std::min<uint64_t>(max_transfer_bytes_, std::max<uint64_t>(blocks, 1) * geometry_.block_bytes));
    }
    geometry_.compare_and_write_bytes = byte_at(page, 5) * geometry_.block_bytes;
    if (*got >= 44) max_write_same_blocks = be64(page, 36);
  }
  page = {};
  got = co_await fetch(connection, cdb_inquiry(true, 0xb2, 64), page);
  const uint8_t bits = got && *got >= 6 ? byte_at(page, 5) : 0;
  write_same_unmap_ = (bits & 0x40) != 0;
  // Cheap zeroing needs WRITE SAME with UNMAP and zeros afterwards.
  geometry_.unmap_zeroes = geometry_.unmap_zeroes && write_same_unmap_;
  // With UNMAP the unit only drops its blocks; without it writes them all, so shorter pieces keep within the time-out.
  const uint64_t ours = write_same_unmap_ ? 256ull << 20 : 4ull << 20;
  const uint64_t its = max_write_same_blocks != 0 ? max_write_same_blocks * geometry_.block_bytes : UINT64_MAX;
  max_write_same_bytes_ = std::max<uint64_t>(std::min(ours, its), geometry_.block_bytes);
}

io::Task<void> IscsiBlockStore::discover_reservations(std::shared_ptr<IscsiConnection> connection) {
  std::array<std::byte, 32> page{};
  Result<size_t> got = co_await fetch(connection, cdb_pr_in(2, 8), std::span(page).first(8));
  // Bit 5 of byte 4 (type mask): Write Exclusive, Registrants Only.
  const bool mask_valid = got && (byte_at(page, 3) & 0x80) != 0;
  geometry_.persistent_reservations = got && (!mask_valid || (byte_at(page, 4) & 0x20) != 0);
  aptpl_ = got && (byte_at(page, 2) & 0x01) != 0;
  if (!geometry_.persistent_reservations) {
    spdlog::warn("{}: no persistent reservations; nodes cannot be fenced on this LUN", name());
  }
}

}  // namespace pnfs::block
