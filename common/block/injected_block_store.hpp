// Fault rules at a node's block store: points block.READ, block.WRITE, block.FLUSH, block.ZERO and block.RESERVE.
#pragma once

#include "common/block/block_store.hpp"
#include "common/fault/injector.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::block {

// Wraps another store; all three must outlive it. Before a command a rule may delay it, fail it (the command is not
// sent), leave it out (`return OK`: not sent, and the caller believes it done), or drop it (Errc::timeout after
// kDropped); after one it may turn success into an error, as when the answer was lost. Without rules it costs one bit
// test.
class InjectedBlockStore final : public BlockStore {
 public:
  static constexpr Duration kDropped = std::chrono::seconds(30);

  InjectedBlockStore(BlockStore& inner, fault::Injector& injector, io::TimerQueue& timers)
      : inner_(inner), injector_(injector), timers_(timers) {}

  const Geometry& geometry() const override { return inner_.geometry(); }
  std::string name() const override { return inner_.name(); }
  io::Task<Result<void>> read(uint64_t offset, std::span<const Piece> into) override;
  io::Task<Result<void>> write(uint64_t offset, std::span<const ConstPiece> from, Fua fua = Fua::no) override;
  io::Task<Result<void>> flush() override;
  io::Task<Result<void>> zero(uint64_t offset, uint64_t length) override;
  // For rules a WRITE.
  io::Task<Result<bool>> compare_and_write(uint64_t offset, ConstPiece expected, ConstPiece wanted) override;
  uint64_t epoch() const override { return inner_.epoch(); }
  io::Task<Result<void>> register_key(uint64_t key) override;
  io::Task<Result<void>> reserve(uint64_t key) override;
  io::Task<Result<void>> release(uint64_t key) override;
  io::Task<Result<void>> preempt(uint64_t key, uint64_t victim, bool abort) override;
  io::Task<Result<Reservation>> reservation() override;
  void set_write_gate(std::function<bool()> gate) override { inner_.set_write_gate(std::move(gate)); }
  io::Task<void> close() override { return inner_.close(); }

 private:
  // `command` has not started: an awaitable that is never awaited never runs.
  io::Task<Result<void>> run(std::string_view op, uint64_t offset, uint64_t length, io::Task<Result<void>> command);
  // True: go on. False: a rule says that it is done.
  io::Task<Result<bool>> ask(fault::Stage stage, std::string_view op, uint64_t offset, uint64_t length);

  BlockStore& inner_;
  fault::Injector& injector_;
  io::TimerQueue& timers_;
};

}  // namespace pnfs::block
