#include "common/xdr/encoder.hpp"

#include <algorithm>

namespace pnfs::xdr {

namespace {
constexpr std::byte kZeros[4] = {};
}

void Encoder::fixed(std::span<const std::byte> bytes) {
  const size_t pad = (4 - bytes.size() % 4) % 4;
  if (bytes.size() < kReferenceBytes) {
    std::byte* at = room(bytes.size() + pad);
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    std::memcpy(at + bytes.size(), kZeros, pad);
    return;
  }
  close_piece();
  pieces_.push_back(bytes);
  size_ += bytes.size();
  if (pad != 0) std::memcpy(room(pad), kZeros, pad);
}

void Encoder::raw(std::span<const std::byte> bytes) {
  if (!bytes.empty()) std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
}

void Encoder::rollback(const Mark& mark) {
  pieces_.resize(mark.pieces);
  piece_begin_ = mark.piece_begin;
  next_ = mark.next;
  end_ = mark.end;
  size_ = mark.size;
}

std::span<const std::span<const std::byte>> Encoder::pieces() {
  close_piece();
  return pieces_;
}

std::vector<std::byte> Encoder::flatten() {
  std::vector<std::byte> out;
  out.reserve(size_);
  for (const auto piece : pieces()) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

void Encoder::grow(size_t bytes) {
  close_piece();
  const size_t size = std::max(kBlockBytes, bytes);
  piece_begin_ = next_ = static_cast<std::byte*>(arena_->allocate(size, 8));
  end_ = next_ + size;
}

void Encoder::close_piece() {
  if (next_ == piece_begin_) return;
  pieces_.push_back({piece_begin_, static_cast<size_t>(next_ - piece_begin_)});
  piece_begin_ = next_;
}

}  // namespace pnfs::xdr
