#include "common/volume/data_io.hpp"

#include <algorithm>
#include <cstring>

namespace pnfs::volume {

using block::ConstPiece;
using block::Fua;
using block::Piece;

namespace {

constexpr int kDurableAttempts = 5;

// The next `length` bytes of `pieces`, starting `skip` bytes in.
std::vector<ConstPiece> slice(std::span<const ConstPiece> pieces, uint64_t skip, uint64_t length) {
  std::vector<ConstPiece> out;
  for (const ConstPiece& piece : pieces) {
    if (length == 0) break;
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    const uint64_t n = std::min<uint64_t>(length, piece.size() - skip);
    out.push_back(piece.subspan(skip, n));
    length -= n;
    skip = 0;
  }
  return out;
}

uint64_t total(std::span<const ConstPiece> pieces) {
  uint64_t bytes = 0;
  for (const ConstPiece& piece : pieces) bytes += piece.size();
  return bytes;
}

}  // namespace

bool DataIo::conflicts(const Claim& claim) const {
  return std::any_of(claims_.begin(), claims_.end(), [&](const Claim& other) {
    return other.begin < claim.end && claim.begin < other.end && (other.rewrites || claim.rewrites);
  });
}

io::Task<Result<void>> DataIo::read(std::vector<MappedRange> ranges, std::span<std::byte> into) {
  const uint64_t block_bytes = store_.geometry().block_bytes;
  for (const MappedRange& range : ranges) {
    if (range.length > into.size()) co_return error(Errc::invalid, "ranges are longer than the buffer");
    const std::span<std::byte> part = into.first(range.length);
    into = into.subspan(range.length);
    if (range.hole) {
      std::memset(part.data(), 0, part.size());
      continue;
    }
    const uint64_t head = range.volume_offset % block_bytes;
    const uint64_t tail = (block_bytes - (head + range.length) % block_bytes) % block_bytes;
    // The bytes around an unaligned range go into scratch; what was asked for goes straight to its place.
    std::vector<std::byte> scratch(head + tail);
    std::vector<Piece> pieces;
    if (head != 0) pieces.push_back(std::span(scratch).first(head));
    pieces.push_back(part);
    if (tail != 0) pieces.push_back(std::span(scratch).last(tail));
    if (auto ok = co_await store_.read(range.volume_offset - head, pieces); !ok) co_return ok.error();
  }
  co_return Result<void>();
}

io::Task<Result<void>> DataIo::write(std::vector<MappedRange> ranges, std::span<const ConstPiece> from, Fua fua) {
  uint64_t length = 0;
  for (const MappedRange& range : ranges) {
    if (range.hole) co_return error(Errc::invalid, "no extent is mapped at file offset {}", range.file_offset);
    length += range.length;
  }
  if (length != total(from)) co_return error(Errc::invalid, "ranges of {} bytes, data of {}", length, total(from));
  const Fua each = store_.geometry().fua ? fua : Fua::no;
  const bool by_flush = fua == Fua::yes && each == Fua::no && store_.geometry().write_cache;
  // By a flush it is durable only when the device kept its cache from the first write to the flush: the epoch says so.
  for (int attempt = 0; attempt < kDurableAttempts; ++attempt) {
    const uint64_t epoch = store_.epoch();
    uint64_t done = 0;
    for (const MappedRange& range : ranges) {
      Result<void> ok = co_await write_range(range, slice(from, done, range.length), each);
      if (!ok) co_return ok.error();
      done += range.length;
    }
    if (!by_flush) co_return Result<void>();
    if (auto ok = co_await store_.flush(); !ok) co_return ok.error();
    if (store_.epoch() == epoch) co_return Result<void>();
  }
  co_return error(Errc::io, "the device's session was lost during each of {} attempts", kDurableAttempts);
}

// Concurrent writes to disjoint bytes of one block must not undo each other, so a read-modify-write claims its blocks
// against every other write; aligned writes pass one another.
io::Task<Result<void>> DataIo::write_range(MappedRange range, std::vector<ConstPiece> pieces, Fua fua) {
  const uint64_t block_bytes = store_.geometry().block_bytes;
  const uint64_t begin = range.volume_offset;
  const uint64_t end = begin + range.length;
  const uint64_t aligned_begin = (begin + block_bytes - 1) / block_bytes * block_bytes;
  const uint64_t aligned_end = end / block_bytes * block_bytes;
  Claim claim{begin / block_bytes * block_bytes, (end + block_bytes - 1) / block_bytes * block_bytes,
              begin % block_bytes != 0 || end % block_bytes != 0};
  while (conflicts(claim)) co_await released_.wait();
  struct Hold {
    DataIo& io;
    Claims::iterator at;
    ~Hold() {
      io.claims_.erase(at);
      io.released_.notify_all();
    }
  };
  Hold hold{*this, claims_.insert(claims_.end(), claim)};

  if (aligned_begin > aligned_end) {  // inside one block, touching neither edge
    co_return co_await rewrite_block(aligned_end, static_cast<uint32_t>(begin - aligned_end), std::move(pieces),
                                     static_cast<uint32_t>(range.length), fua);
  }
  if (begin < aligned_begin) {
    const auto n = static_cast<uint32_t>(std::min(end, aligned_begin) - begin);
    Result<void> ok = co_await rewrite_block(aligned_begin - block_bytes,
                                             static_cast<uint32_t>(begin - (aligned_begin - block_bytes)),
                                             slice(pieces, 0, n), n, fua);
    if (!ok) co_return ok.error();
  }
  if (aligned_begin < aligned_end) {
    const std::vector<ConstPiece> middle = slice(pieces, aligned_begin - begin, aligned_end - aligned_begin);
    Result<void> ok = co_await store_.write(aligned_begin, middle, fua);
    if (!ok) co_return ok.error();
  }
  if (aligned_end < end) {
    const auto n = static_cast<uint32_t>(end - aligned_end);
    co_return co_await rewrite_block(aligned_end, 0, slice(pieces, aligned_end - begin, n), n, fua);
  }
  co_return Result<void>();
}

io::Task<Result<void>> DataIo::rewrite_block(uint64_t block_offset, uint32_t skip, std::vector<ConstPiece> pieces,
                                             uint32_t length, Fua fua) {
  std::vector<std::byte> block(store_.geometry().block_bytes);
  const Piece into[] = {block};
  if (auto ok = co_await store_.read(block_offset, into); !ok) co_return ok.error();
  size_t at = skip;
  for (const ConstPiece& piece : pieces) {
    std::memcpy(block.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  if (at != skip + length)
    co_return error(Errc::invalid, "data of {} bytes where {} were announced", at - skip, length);
  const ConstPiece from[] = {block};
  co_return co_await store_.write(block_offset, from, fua);
}

}  // namespace pnfs::volume
