// Reading, writing, flushing and zeroing over a session.
#include "common/block/iscsi_store_impl.hpp"

namespace pnfs::block {

namespace {

// A window of `length` bytes into `whole`, `skip` bytes in.
IoVector slice(const IoVector& whole, uint64_t skip, uint64_t length) {
  IoVector out;
  for (const scsi_iovec& piece : whole) {
    if (length == 0) break;
    if (skip >= piece.iov_len) {
      skip -= piece.iov_len;
      continue;
    }
    const uint64_t n = std::min<uint64_t>(length, piece.iov_len - skip);
    out.push_back({static_cast<char*>(piece.iov_base) + skip, n});
    length -= n;
    skip = 0;
  }
  return out;
}

alignas(4096) std::byte zeros[256 * 1024];

}  // namespace

Result<void> IscsiBlockStore::check_range(uint64_t offset, uint64_t length) const {
  const uint64_t size = geometry_.bytes();
  if (offset % geometry_.block_bytes != 0 || length % geometry_.block_bytes != 0) {
    return error(Errc::invalid, "{}: offset {} and length {} are not multiples of {}", name(), offset, length,
                 geometry_.block_bytes);
  }
  if (offset > size || length > size - offset) {
    return error(Errc::io, "{}: {} bytes at {} lie beyond the end ({})", name(), length, offset, size);
  }
  return {};
}

io::Task<Result<void>> IscsiBlockStore::read(uint64_t offset, std::span<const Piece> into) {
  IoVector iov;
  uint64_t length = 0;
  for (const Piece& piece : into) {
    iov.push_back({piece.data(), piece.size()});
    length += piece.size();
  }
  return transfer(Direction::in, offset, length, std::move(iov), Fua::no);
}

io::Task<Result<void>> IscsiBlockStore::write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) {
  IoVector iov;
  uint64_t length = 0;
  for (const ConstPiece& piece : from) {
    // libiscsi takes one type for both directions; it only reads these.
    iov.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    length += piece.size();
  }
  return transfer(Direction::out, offset, length, std::move(iov), fua);
}

io::Task<Result<void>> IscsiBlockStore::transfer(Direction direction, uint64_t offset, uint64_t length, IoVector iov,
                                                 Fua fua) {
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  const bool through = fua == Fua::yes && geometry_.fua;
  const char* const what = direction == Direction::in ? "read" : "write";
  uint64_t done = 0;
  while (done < length) {
    const auto bytes = static_cast<uint32_t>(std::min<uint64_t>(length - done, max_transfer_bytes_));
    IoVector part;
    if (bytes != length) part = slice(iov, done, bytes);
    const uint64_t lba = (offset + done) / geometry_.block_bytes;
    const uint32_t blocks = bytes / geometry_.block_bytes;
    Command command;
    command.cdb = direction == Direction::in ? cdb_read16(lba, blocks) : cdb_write16(lba, blocks, through);
    command.direction = direction;
    command.iov = bytes != length ? std::span(part) : std::span(iov);
    command.bytes = bytes;
    Result<void> ok = co_await run_to_success(command, what);
    if (!ok) co_return ok.error();
    done += bytes;
  }
  co_return Result<void>();
}

io::Task<Result<bool>> IscsiBlockStore::compare_and_write(uint64_t offset, ConstPiece expected, ConstPiece wanted) {
  if (auto ok = check_range(offset, expected.size()); !ok) co_return ok.error();
  if (expected.size() != wanted.size() || expected.empty() || expected.size() > geometry_.compare_and_write_bytes) {
    co_return error(Errc::unsupported, "{}: COMPARE AND WRITE of {} against {} bytes; the LUN takes {}", name(),
                    expected.size(), wanted.size(), geometry_.compare_and_write_bytes);
  }
  scsi_iovec iov[] = {{const_cast<std::byte*>(expected.data()), expected.size()},
                      {const_cast<std::byte*>(wanted.data()), wanted.size()}};
  Command command;
  command.cdb = cdb_compare_and_write(offset / geometry_.block_bytes,
                                      static_cast<uint8_t>(expected.size() / geometry_.block_bytes));
  command.direction = Direction::out;
  command.iov = iov;
  command.bytes = static_cast<uint32_t>(2 * expected.size());
  command.repeat = Repeat::no;
  command.may_differ = true;
  const Result<Outcome> done = co_await run(command);
  if (!done && done.error().code == Errc::unsupported) {
    // tgt lists it among its commands and then refuses it.
    spdlog::warn("{}: announces COMPARE AND WRITE and does not know it", name());
    geometry_.compare_and_write_bytes = 0;
  }
  if (!done) co_return done.error().with_context("compare and write");
  co_return done->status == Status::good;
}

io::Task<Result<void>> IscsiBlockStore::flush() {
  if (!geometry_.write_cache) co_return Result<void>();
  Command command;
  command.cdb = cdb_synchronize_cache16();
  co_return co_await run_to_success(command, "flush");
}

// UNMAP alone promises nothing (a unit may ignore it); WRITE SAME of zeros does, with the UNMAP bit as a hint.
io::Task<Result<void>> IscsiBlockStore::zero(uint64_t offset, uint64_t length) {
  if (auto ok = check_range(offset, length); !ok) co_return ok.error();
  if (write_same_) {
    Result<void> ok = co_await write_same(offset, length);
    if (ok || ok.error().code != Errc::unsupported) co_return ok;
    spdlog::warn("{}: no WRITE SAME; zeros are written instead", name());
    write_same_ = false;
    geometry_.unmap_zeroes = false;
  }
  co_return co_await write_zeros(offset, length);
}

io::Task<Result<void>> IscsiBlockStore::write_same(uint64_t offset, uint64_t length) {
  for (uint64_t done = 0; done < length;) {
    const uint64_t bytes = std::min(length - done, max_write_same_bytes_);
    scsi_iovec block{zeros, geometry_.block_bytes};
    Command command;
    command.cdb = cdb_write_same16((offset + done) / geometry_.block_bytes,
                                   static_cast<uint32_t>(bytes / geometry_.block_bytes), write_same_unmap_);
    command.direction = Direction::out;
    command.iov = std::span(&block, 1);
    command.bytes = geometry_.block_bytes;
    Result<void> ok = co_await run_to_success(command, "write same");
    if (!ok) co_return ok.error();
    done += bytes;
  }
  co_return Result<void>();
}

io::Task<Result<void>> IscsiBlockStore::write_zeros(uint64_t offset, uint64_t length) {
  for (uint64_t done = 0; done < length;) {
    const uint64_t bytes = std::min<uint64_t>(length - done, sizeof(zeros));
    const ConstPiece pieces[] = {std::span(zeros).first(bytes)};
    Result<void> ok = co_await write(offset + done, pieces, Fua::no);
    if (!ok) co_return ok.error();
    done += bytes;
  }
  co_return Result<void>();
}

}  // namespace pnfs::block
