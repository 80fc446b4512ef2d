#include "common/block/faulty_block_store.hpp"

#include "common/block/pieces.hpp"

namespace pnfs::block {

std::string_view to_string(BlockOp op) {
  switch (op) {
    case BlockOp::read:
      return "read";
    case BlockOp::write:
      return "write";
    case BlockOp::flush:
      return "flush";
    case BlockOp::zero:
      return "zero";
    case BlockOp::pr_in:
      return "persistent reserve in";
    case BlockOp::pr_out:
      return "persistent reserve out";
  }
  return "unknown";
}

Result<void> FaultyBlockStore::ask(const Hook& hook, BlockOp op, uint64_t offset, uint64_t length) const {
  if (!hook) return {};
  return hook(op, offset, length);
}

// `command` has not started: an awaitable that is never awaited never runs.
io::Task<Result<void>> FaultyBlockStore::run(BlockOp op, uint64_t offset, uint64_t length,
                                             io::Task<Result<void>> command) {
  if (auto ok = ask(before_, op, offset, length); !ok) co_return ok.error();
  Result<void> result = co_await std::move(command);
  if (!result) co_return result.error();
  co_return ask(after_, op, offset, length);
}

io::Task<Result<void>> FaultyBlockStore::read(uint64_t offset, std::span<const Piece> into) {
  return run(BlockOp::read, offset, total(into), inner_.read(offset, into));
}
io::Task<Result<void>> FaultyBlockStore::write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) {
  return run(BlockOp::write, offset, total(from), inner_.write(offset, from, fua));
}
io::Task<Result<void>> FaultyBlockStore::flush() {
  return run(BlockOp::flush, 0, 0, inner_.flush());
}
io::Task<Result<void>> FaultyBlockStore::zero(uint64_t offset, uint64_t length) {
  return run(BlockOp::zero, offset, length, inner_.zero(offset, length));
}
io::Task<Result<void>> FaultyBlockStore::register_key(uint64_t key) {
  return run(BlockOp::pr_out, 0, 0, inner_.register_key(key));
}
io::Task<Result<void>> FaultyBlockStore::reserve(uint64_t key) {
  return run(BlockOp::pr_out, 0, 0, inner_.reserve(key));
}
io::Task<Result<void>> FaultyBlockStore::release(uint64_t key) {
  return run(BlockOp::pr_out, 0, 0, inner_.release(key));
}
io::Task<Result<void>> FaultyBlockStore::preempt(uint64_t key, uint64_t victim, bool abort) {
  return run(BlockOp::pr_out, 0, 0, inner_.preempt(key, victim, abort));
}
io::Task<Result<Reservation>> FaultyBlockStore::reservation() {
  if (auto ok = ask(before_, BlockOp::pr_in, 0, 0); !ok) co_return ok.error();
  co_return co_await inner_.reservation();
}

}  // namespace pnfs::block
