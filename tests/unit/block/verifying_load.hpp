// A load that checks itself, for targets that die under it. Writers fill cells with versions that only grow, flush, and
// look again; incrementers push one record forward by COMPARE AND WRITE, each with a tag of its own that the record
// remembers. Wrong is: a version that was flushed and is gone; a tag that is there twice, or though its command was
// answered "differs"; an answer that never comes.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "common/base/random.hpp"
#include "common/block/block_store.hpp"
#include "common/io/task_group.hpp"

namespace pnfs::block {

class VerifyingLoad {
 public:
  static constexpr uint64_t kCells = 512;
  static constexpr size_t kCellBytes = 8192;
  static constexpr uint64_t kWriters = 8;
  static constexpr uint64_t kIncrementers = 3;
  static constexpr uint64_t kRecordAt = kCells * kCellBytes;
  static constexpr uint64_t kBytes = kRecordAt + 4096;

  VerifyingLoad(io::asio::io_context& context, BlockStore& store, uint64_t seed)
      : store_(store), cells_(kCells), group_(context.get_executor()) {
    for (uint64_t i = 0; i < kWriters; ++i) {
      group_.spawn("writer",
                   write_cells(*this, SeededRandom(seed + i), i * kCells / kWriters, (i + 1) * kCells / kWriters));
    }
    if (store.geometry().compare_and_write_bytes == 0) return;
    for (uint64_t i = 0; i < kIncrementers; ++i) group_.spawn("incrementer", increment(*this, i + 1));
  }

  // Operations that were answered with success.
  uint64_t operations() const { return operations_; }
  uint64_t increments() const { return increments_; }
  const std::string& wrong() const { return wrong_; }
  void stop() { stop_ = true; }
  bool running() const { return group_.size() > 0; }

  // When the load has ended: everything that was flushed is there.
  static io::Task<void> verify(VerifyingLoad& load) {
    for (uint64_t cell = 0; cell < kCells && load.wrong_.empty(); ++cell) co_await check_cell(load, cell);
    if (load.store_.geometry().compare_and_write_bytes != 0 && load.wrong_.empty()) {
      Record record;
      co_await read_record(load, record);
    }
  }

 private:
  struct Cell {
    uint64_t flushed = 0;  // a flush that began after this version was written has succeeded in the same epoch
  };
  // One block: how often it was pushed forward, and by whom, newest first.
  struct Record {
    uint64_t count = 0;
    uint64_t tags[63] = {};
  };
  static_assert(sizeof(Record) == 512);

  static void fill(std::span<std::byte> bytes, uint64_t cell, uint64_t version) {
    for (size_t at = 0; at < bytes.size(); at += 16) {
      std::memcpy(bytes.data() + at, &cell, 8);
      std::memcpy(bytes.data() + at + 8, &version, 8);
    }
  }
  void fail(std::string why) {
    if (wrong_.empty()) wrong_ = std::move(why);
  }
  bool ended() const { return stop_ || !wrong_.empty(); }

  // A write that was cut off may have left some blocks of the cell older than others, but none older than what was
  // flushed.
  static io::Task<void> check_cell(VerifyingLoad& load, uint64_t cell) {
    std::vector<std::byte> bytes(kCellBytes);
    const Piece pieces[] = {bytes};
    const Result<void> ok = co_await load.store_.read(cell * kCellBytes, pieces);
    if (!ok) {
      load.fail("read: " + ok.error().reason);
      co_return;
    }
    for (size_t at = 0; at < bytes.size(); at += 16) {
      uint64_t found[2];
      std::memcpy(found, bytes.data() + at, 16);
      if (found[1] != 0 && found[0] != cell) {
        load.fail(fmt::format("cell {} holds data of cell {}", cell, found[0]));
        co_return;
      }
      if (found[1] >= load.cells_[cell].flushed) continue;
      load.fail(fmt::format("lost: version {} of cell {} was flushed, {} is there", load.cells_[cell].flushed, cell,
                            found[1]));
      co_return;
    }
  }

  static io::Task<void> write_cells(VerifyingLoad& load, SeededRandom random, uint64_t first, uint64_t last) {
    std::vector<std::byte> bytes(kCellBytes);
    while (!load.ended()) {
      const uint64_t epoch = load.store_.epoch();
      std::vector<std::pair<uint64_t, uint64_t>> batch;
      for (uint64_t n = 1 + random.below(6); n > 0; --n) {
        const uint64_t cell = first + random.below(last - first);
        const uint64_t version = ++load.version_;
        fill(bytes, cell, version);
        const ConstPiece pieces[] = {bytes};
        const Result<void> ok = co_await load.store_.write(cell * kCellBytes, pieces, Fua::no);
        if (!ok) {
          load.fail("write: " + ok.error().reason);
          co_return;
        }
        batch.emplace_back(cell, version);
        ++load.operations_;
      }
      const Result<void> ok = co_await load.store_.flush();
      if (!ok) {
        load.fail("flush: " + ok.error().reason);
        co_return;
      }
      ++load.operations_;
      if (load.store_.epoch() == epoch) {  // else a cache may have been lost in between: nothing is known
        for (const auto& [cell, version] : batch)
          load.cells_[cell].flushed = std::max(load.cells_[cell].flushed, version);
      }
      co_await check_cell(load, first + random.below(last - first));
      ++load.operations_;
    }
  }

  static io::Task<bool> read_record(VerifyingLoad& load, Record& record) {
    const Piece pieces[] = {std::as_writable_bytes(std::span(&record, 1))};
    const Result<void> ok = co_await load.store_.read(kRecordAt, pieces);
    if (!ok) {
      load.fail("read of the record: " + ok.error().reason);
      co_return false;
    }
    std::set<uint64_t> seen;
    for (const uint64_t tag : record.tags) {
      if (tag == 0) break;
      if (!seen.insert(tag).second) load.fail(fmt::format("COMPARE AND WRITE {} was applied twice", tag));
      if (load.refused_.contains(tag))
        load.fail(fmt::format("COMPARE AND WRITE {} was answered \"differs\" and is there: it was sent twice", tag));
    }
    if (record.count < load.flushed_count_)
      load.fail(fmt::format("lost: the record had reached {} and was flushed, it is at {}", load.flushed_count_,
                            record.count));
    co_return load.wrong_.empty();
  }

  static io::Task<void> increment(VerifyingLoad& load, uint64_t who) {
    uint64_t turn = 0;
    while (!load.ended()) {
      Record old;
      const bool known = co_await read_record(load, old);
      if (!known) co_return;
      Record next = old;
      ++next.count;
      std::memmove(&next.tags[1], &next.tags[0], sizeof(next.tags) - sizeof(next.tags[0]));
      const uint64_t tag = ++turn << 8 | who;
      next.tags[0] = tag;
      const uint64_t epoch = load.store_.epoch();
      const Result<bool> done = co_await load.store_.compare_and_write(kRecordAt, std::as_bytes(std::span(&old, 1)),
                                                                       std::as_bytes(std::span(&next, 1)));
      if (!done && done.error().code == Errc::unsupported) co_return;
      if (!done && done.error().code != Errc::closed) {
        load.fail("compare and write: " + done.error().reason);
        co_return;
      }
      if (!done) continue;  // perhaps done: the record tells, and each try has a tag of its own
      ++load.operations_;
      if (!*done) {
        load.refused_.insert(tag);
        continue;
      }
      ++load.increments_;
      const Result<void> flushed = co_await load.store_.flush();
      if (flushed && load.store_.epoch() == epoch) load.flushed_count_ = std::max(load.flushed_count_, next.count);
    }
  }

  BlockStore& store_;
  std::vector<Cell> cells_;
  uint64_t version_ = 0;
  uint64_t operations_ = 0;
  uint64_t increments_ = 0;
  uint64_t flushed_count_ = 0;
  std::set<uint64_t> refused_;
  bool stop_ = false;
  std::string wrong_;
  io::TaskGroup group_;
};

}  // namespace pnfs::block
