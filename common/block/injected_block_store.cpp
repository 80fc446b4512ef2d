#include "common/block/injected_block_store.hpp"

#include "common/block/pieces.hpp"

namespace pnfs::block {

io::Task<Result<bool>> InjectedBlockStore::ask(fault::Stage stage, std::string_view op, uint64_t offset,
                                               uint64_t length) {
  if (!injector_.active(fault::Domain::block, stage)) co_return true;
  fault::Context context;
  context.domain = fault::Domain::block;
  context.stage = stage;
  context.op = op;
  context.offset = offset;
  context.length = length;
  const fault::Verdict verdict = injector_.consult(context);
  if (verdict.delay > Duration(0)) co_await timers_.sleep(verdict.delay);
  if (verdict.drop_request || verdict.drop_reply) {
    co_await timers_.sleep(kDropped);
    co_return error(Errc::timeout, "{} of {}: no answer ({})", op, inner_.name(), verdict.rule);
  }
  if (verdict.status && *verdict.status != 0)
    co_return error(static_cast<Errc>(*verdict.status), "{} of {} at {}+{} failed ({})", op, inner_.name(), offset,
                    length, verdict.rule);
  co_return !verdict.status;
}

io::Task<Result<void>> InjectedBlockStore::run(std::string_view op, uint64_t offset, uint64_t length,
                                               io::Task<Result<void>> command) {
  const Result<bool> before = co_await ask(fault::Stage::before, op, offset, length);
  if (!before) co_return before.error();
  if (!*before) co_return Result<void>();
  Result<void> done = co_await std::move(command);
  if (!done) co_return done;
  const Result<bool> after = co_await ask(fault::Stage::after, op, offset, length);
  if (!after) co_return after.error();
  co_return Result<void>();
}

io::Task<Result<void>> InjectedBlockStore::read(uint64_t offset, std::span<const Piece> into) {
  return run("READ", offset, total(into), inner_.read(offset, into));
}
io::Task<Result<void>> InjectedBlockStore::write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) {
  return run("WRITE", offset, total(from), inner_.write(offset, from, fua));
}
io::Task<Result<void>> InjectedBlockStore::flush() {
  return run("FLUSH", 0, 0, inner_.flush());
}
io::Task<Result<void>> InjectedBlockStore::zero(uint64_t offset, uint64_t length) {
  return run("ZERO", offset, length, inner_.zero(offset, length));
}
io::Task<Result<bool>> InjectedBlockStore::compare_and_write(uint64_t offset, ConstPiece expected, ConstPiece wanted) {
  const Result<bool> before = co_await ask(fault::Stage::before, "WRITE", offset, wanted.size());
  if (!before) co_return before.error();
  if (!*before) co_return true;
  co_return co_await inner_.compare_and_write(offset, expected, wanted);
}
io::Task<Result<void>> InjectedBlockStore::register_key(uint64_t key) {
  return run("RESERVE", 0, 0, inner_.register_key(key));
}
io::Task<Result<void>> InjectedBlockStore::reserve(uint64_t key) {
  return run("RESERVE", 0, 0, inner_.reserve(key));
}
io::Task<Result<void>> InjectedBlockStore::release(uint64_t key) {
  return run("RESERVE", 0, 0, inner_.release(key));
}
io::Task<Result<void>> InjectedBlockStore::preempt(uint64_t key, uint64_t victim, bool abort) {
  return run("RESERVE", 0, 0, inner_.preempt(key, victim, abort));
}
io::Task<Result<Reservation>> InjectedBlockStore::reservation() {
  const Result<bool> before = co_await ask(fault::Stage::before, "RESERVE", 0, 0);
  if (!before) co_return before.error();
  co_return co_await inner_.reservation();
}

}  // namespace pnfs::block
