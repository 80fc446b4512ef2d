#include "common/block/injected_block_store.hpp"

#include <gtest/gtest.h>

#include "common/block/memory_block_store.hpp"
#include "common/fault/engine.hpp"
#include "common/io/simulation.hpp"

namespace pnfs::block {
namespace {

struct InjectedBlockStoreTest : ::testing::Test {
  io::Simulation world;
  MemoryLun lun;
  MemoryBlockStore inner{world.executor(), lun};
  fault::Vocabulary vocabulary;
  fault::Engine engine{vocabulary, world.clock(), {.node = "ds1"}};
  InjectedBlockStore store{inner, engine, world.timers()};
  std::vector<std::byte> data = std::vector<std::byte>(4096, std::byte{7});

  void add(std::string_view rule) {
    const auto added = engine.add(rule);
    ASSERT_TRUE(added) << added.error().reason;
  }
  Result<void> write(uint64_t offset = 0) {
    const ConstPiece piece(data);
    return world.run(store.write(offset, std::span(&piece, 1)));
  }
  std::byte stored(uint64_t offset = 0) { return lun.peek(offset, 1)[0]; }
};

TEST_F(InjectedBlockStoreTest, PassesThroughWithoutRules) {
  EXPECT_TRUE(write());
  EXPECT_EQ(stored(), std::byte{7});
  EXPECT_TRUE(world.run(store.flush()));
}

TEST_F(InjectedBlockStoreTest, FailsBeforeAndAfter) {
  add("before block.WRITE offset=0 do return FENCED");
  add("after block.WRITE offset=4096 do return IO");
  const auto first = write(0);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Errc::fenced);
  EXPECT_NE(first.error().reason.find("rule 1"), std::string::npos);
  EXPECT_EQ(stored(0), std::byte{0}) << "not sent";
  const auto second = write(4096);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::io);
  EXPECT_EQ(stored(4096), std::byte{7}) << "written, the answer lost";
  EXPECT_TRUE(write(8192));
}

TEST_F(InjectedBlockStoreTest, DelaysAndDropsOnTheStoresClock) {
  add("before block.FLUSH once do delay 2s");
  add("before block.WRITE once do drop request");
  const TimePoint start = world.now();
  EXPECT_TRUE(world.run(store.flush()));
  EXPECT_EQ(world.now() - start, std::chrono::seconds(2));
  const auto dropped = write();
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error().code, Errc::timeout);
  EXPECT_EQ(stored(), std::byte{0});
  EXPECT_EQ(world.now() - start, std::chrono::seconds(2) + InjectedBlockStore::kDropped);
  EXPECT_TRUE(write());
}

}  // namespace
}  // namespace pnfs::block
