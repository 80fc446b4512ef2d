// A MemoryBlockStore that keeps a session as an initiator does.
#include <gtest/gtest.h>

#include "common/block/memory_block_store.hpp"
#include "common/io/simulation.hpp"

namespace pnfs::block {
namespace {

using namespace std::chrono_literals;

struct MemorySessionTest : ::testing::Test {
  io::Simulation world;
  MemoryLun lun;
  MemoryLatency disk{3ms, 3ms, 3ms};
  std::vector<std::byte> data = std::vector<std::byte>(512, std::byte{7});

  std::unique_ptr<MemoryBlockStore> node(MemoryLun& on) {
    return std::make_unique<MemoryBlockStore>(world.executor(), on, &world.timers(), disk, MemorySession{10s});
  }
  io::Task<Result<void>> write(MemoryBlockStore& store) {
    const ConstPiece piece(data);
    co_return co_await store.write(0, std::span(&piece, 1), Fua::no);
  }
  // Starts a write; `out` is set when it has ended.
  void begin(MemoryBlockStore& store, std::optional<Result<void>>& out) {
    auto go = [](MemorySessionTest& self, MemoryBlockStore& s, std::optional<Result<void>>& o) -> io::Task<void> {
      o = co_await self.write(s);
    };
    boost::asio::co_spawn(world.context(), go(*this, store, out), boost::asio::detached);
  }
};

TEST_F(MemorySessionTest, ARestartIsSeenByTheNextCommandAndRaisesTheEpoch) {
  auto store = node(lun);
  ASSERT_TRUE(world.run(write(*store)));
  const uint64_t before = store->epoch();
  lun.crash(world.random());
  lun.restart();
  EXPECT_EQ(store->epoch(), before) << "nobody has told the node yet";
  ASSERT_TRUE(world.run(store->flush()));
  EXPECT_GT(store->epoch(), before) << "before anything is said to be durable";
}

TEST_F(MemorySessionTest, ACommandIsSentAgainOverARestart) {
  auto store = node(lun);
  std::optional<Result<void>> done;
  begin(*store, done);
  world.run_for(1ms);
  lun.crash(world.random());
  world.run_for(1s);
  EXPECT_FALSE(done);
  lun.restart();
  world.run_for(1s);
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(lun.peek(0, 512), data);
}

TEST_F(MemorySessionTest, TheGateIsAskedBeforeAWriteIsSentAgain) {
  auto store = node(lun);
  bool open = true;
  store->set_write_gate([&] { return open; });
  std::optional<Result<void>> done;
  begin(*store, done);
  world.run_for(500us);
  lun.crash(world.random());
  open = false;
  lun.restart();
  world.run_for(1s);
  ASSERT_TRUE(done);
  EXPECT_FALSE(*done);
  EXPECT_NE(lun.peek(0, 512), data);
}

TEST_F(MemorySessionTest, PreemptAndAbortEndsWhatWaitsAtTheTarget) {
  auto owner = node(lun);
  ASSERT_TRUE(world.run(owner->register_key(1)));
  ASSERT_TRUE(world.run(owner->reserve(1)));
  std::optional<Result<void>> done;
  disk = {3ms, 30ms, 3ms};
  auto slow = node(lun);
  ASSERT_TRUE(world.run(slow->register_key(3)));
  begin(*slow, done);
  world.run_for(15ms);  // it has arrived and waits
  ASSERT_TRUE(world.run(owner->preempt(1, 3, true)));
  world.run_for(1s);
  ASSERT_TRUE(done);
  ASSERT_FALSE(*done);
  EXPECT_EQ(done->error().code, Errc::fenced);
  EXPECT_NE(lun.peek(0, 512), data);
}

TEST_F(MemorySessionTest, WithoutItAResetDoesTheSame) {
  MemoryLun tgt({.preempt_and_abort = false});
  auto owner = node(tgt);
  ASSERT_TRUE(world.run(owner->register_key(1)));
  ASSERT_TRUE(world.run(owner->reserve(1)));
  disk = {3ms, 30ms, 3ms};
  auto slow = node(tgt);
  ASSERT_TRUE(world.run(slow->register_key(3)));
  std::optional<Result<void>> done;
  begin(*slow, done);
  world.run_for(15ms);
  const uint64_t before = owner->epoch();
  ASSERT_TRUE(world.run(owner->preempt(1, 3, true)));
  world.run_for(1s);
  ASSERT_TRUE(done);
  EXPECT_FALSE(*done);
  EXPECT_NE(tgt.peek(0, 512), data);
  ASSERT_TRUE(world.run(owner->flush()));
  EXPECT_GT(owner->epoch(), before) << "a reset is a unit attention for everybody";
}

TEST_F(MemorySessionTest, ALateWriteFindsThatItsNodeWasFenced) {
  auto owner = node(lun);
  auto slow = node(lun);
  ASSERT_TRUE(world.run(owner->register_key(1)));
  ASSERT_TRUE(world.run(owner->reserve(1)));
  ASSERT_TRUE(world.run(slow->register_key(3)));
  slow->come_late(5s);
  std::optional<Result<void>> done;
  begin(*slow, done);
  world.run_for(1s);
  slow->come_late({});
  ASSERT_TRUE(world.run(owner->preempt(1, 3, true)));
  // The node comes back under a new key, but not before what it sent earlier has arrived.
  EXPECT_TRUE(world.run(slow->register_key(4)));
  ASSERT_TRUE(done);
  ASSERT_FALSE(*done);
  EXPECT_EQ(done->error().code, Errc::fenced);
  EXPECT_NE(lun.peek(0, 512), data);
  EXPECT_EQ(lun.late_refused(), 1u);
}

TEST_F(MemorySessionTest, ALateWriteIsCarriedOutWhenNobodyWasFenced) {
  auto slow = node(lun);
  slow->come_late(5s);
  std::optional<Result<void>> done;
  begin(*slow, done);
  world.run_for(4s);
  EXPECT_NE(lun.peek(0, 512), data);
  world.run_for(2s);
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(lun.peek(0, 512), data);
  EXPECT_EQ(lun.late_writes(), 1u);
}

TEST_F(MemorySessionTest, AFencedNodeReadsUntilItLooks) {
  auto owner = node(lun);
  auto other = node(lun);
  ASSERT_TRUE(world.run(owner->register_key(1)));
  ASSERT_TRUE(world.run(owner->reserve(1)));
  ASSERT_TRUE(world.run(other->register_key(3)));
  ASSERT_TRUE(world.run(owner->preempt(1, 3, true)));
  std::vector<std::byte> into(512);
  const Piece piece(into);
  EXPECT_TRUE(world.run(other->read(0, std::span(&piece, 1)))) << "SPC-4: Write Exclusive lets everybody read";
  EXPECT_FALSE(world.run(write(*other)));
  world.run_for(2s);
  const auto late = world.run(other->read(0, std::span(&piece, 1)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::fenced);
}

TEST_F(MemorySessionTest, ANodeThatIsCutOffWaitsAndGivesUp) {
  auto store = node(lun);
  store->cut(true);
  const Result<void> done = world.run(write(*store));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::closed);
  store->cut(false);
  EXPECT_TRUE(world.run(write(*store)));
}

}  // namespace
}  // namespace pnfs::block
