// Wraps a BlockStore and asks a hook before each command. The hook may let it pass, fail it, or delay it; what it
// returns as an error reaches the caller and the command is not sent. The rule engine (common/fault) plugs in here.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "common/block/block_store.hpp"

namespace pnfs::block {

enum class BlockOp { read, write, flush, zero, pr_in, pr_out };
std::string_view to_string(BlockOp op);

class FaultyBlockStore final : public BlockStore {
 public:
  // Called synchronously before the command; offset and length are 0 where they mean nothing.
  using Hook = std::function<Result<void>(BlockOp op, uint64_t offset, uint64_t length)>;
  // Called after the command succeeded: may turn success into an error (the write happened, the answer was lost).
  FaultyBlockStore(BlockStore& inner, Hook before, Hook after = {})
      : inner_(inner), before_(std::move(before)), after_(std::move(after)) {}

  const Geometry& geometry() const override { return inner_.geometry(); }
  std::string name() const override { return inner_.name(); }
  io::Task<Result<void>> read(uint64_t offset, std::span<const Piece> into) override;
  io::Task<Result<void>> write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) override;
  io::Task<Result<void>> flush() override;
  io::Task<Result<void>> zero(uint64_t offset, uint64_t length) override;
  io::Task<Result<bool>> compare_and_write(uint64_t offset, ConstPiece expected, ConstPiece wanted) override {
    return inner_.compare_and_write(offset, expected, wanted);
  }
  uint64_t epoch() const override { return inner_.epoch(); }
  io::Task<Result<void>> register_key(uint64_t key) override;
  io::Task<Result<void>> reserve(uint64_t key) override;
  io::Task<Result<void>> release(uint64_t key) override;
  io::Task<Result<void>> preempt(uint64_t key, uint64_t victim, bool abort) override;
  io::Task<Result<Reservation>> reservation() override;
  void set_write_gate(std::function<bool()> gate) override { inner_.set_write_gate(std::move(gate)); }
  io::Task<void> close() override { return inner_.close(); }

 private:
  io::Task<Result<void>> run(BlockOp op, uint64_t offset, uint64_t length, io::Task<Result<void>> command);
  Result<void> ask(const Hook& hook, BlockOp op, uint64_t offset, uint64_t length) const;

  BlockStore& inner_;
  Hook before_;
  Hook after_;
};

}  // namespace pnfs::block
