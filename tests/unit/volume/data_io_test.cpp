#include "common/volume/data_io.hpp"

#include "common/block/faulty_block_store.hpp"
#include "tests/unit/volume/volume_fixture.hpp"

namespace pnfs::volume {
namespace {

TEST(ExtentMap, MapsAcrossExtentsAndHoles) {
  ExtentMap map({{8192, 1 << 20, 8192}, {0, 4096 * 100, 4096}});
  std::vector<MappedRange> out;
  map.map(100, 20000, out);
  const std::vector<MappedRange> expected = {{100, 3996, 4096 * 100 + 100, false},
                                             {4096, 4096, 0, true},
                                             {8192, 8192, 1 << 20, false},
                                             {16384, 3716, 0, true}};
  EXPECT_EQ(out, expected);
  EXPECT_TRUE(map.covers(8192, 8192));
  EXPECT_FALSE(map.covers(8191, 2));
  map.map(0, 0, out);
  EXPECT_TRUE(out.empty());
}

TEST(ExtentMap, JoinsWhatContinuesAndRefusesOverlap) {
  ExtentMap map;
  EXPECT_TRUE(map.add_checked({4096, 8192, 4096}));
  EXPECT_TRUE(map.add_checked({12288, 16384, 4096}));
  EXPECT_TRUE(map.add_checked({8192, 12288, 4096}));
  ASSERT_EQ(map.extents().size(), 1u);
  EXPECT_EQ(map.extents()[0], (Extent{4096, 8192, 12288}));
  EXPECT_FALSE(map.add_checked({8192, 1 << 20, 4096}));
  EXPECT_FALSE(map.add_checked({0, 0, 0}));
  EXPECT_FALSE(map.add_checked({100, 0, 4096}));
  EXPECT_FALSE(map.add_checked({UINT64_MAX - 4095, 0, 8192}));
  std::vector<Extent> removed;
  map.remove(8192, 4096, &removed);
  EXPECT_EQ(removed, (std::vector<Extent>{{8192, 12288, 4096}}));
  EXPECT_EQ(map.extents().size(), 2u);
  EXPECT_EQ(map.mapped_bytes(), 8192u);
}

struct DataIoTest : VolumeTest {
  block::MemoryBlockStore slow{
      time.context.get_executor(),
      lun,
      &time.timers,
      {std::chrono::milliseconds(1), std::chrono::milliseconds(1), std::chrono::milliseconds(1)}};
  DataIo io{time.context.get_executor(), slow};
};

std::vector<std::byte> bytes(size_t size, char fill) {
  return std::vector<std::byte>(size, static_cast<std::byte>(fill));
}

TEST_F(DataIoTest, AnyAlignmentReadsBackAgainstAModel) {
  // Two extents, the second before the first on the volume.
  const ExtentMap map({{0, 1 << 20, 8192}, {8192, 65536, 8192}});
  std::vector<std::byte> model(16384);
  std::vector<MappedRange> ranges;
  for (int i = 0; i < 300; ++i) {
    const uint64_t offset = random.below(16384);
    const uint64_t length = 1 + random.below(std::min<uint64_t>(16384 - offset, 3000));
    std::vector<std::byte> data(length);
    random.fill(data);
    std::copy(data.begin(), data.end(), model.begin() + static_cast<ptrdiff_t>(offset));
    map.map(offset, length, ranges);
    const size_t cut = random.below(length + 1);
    const block::ConstPiece from[] = {std::span(data).first(cut), std::span(data).subspan(cut)};
    ASSERT_OK(time.run(io.write(ranges, from)));
    const uint64_t at = random.below(16384);
    std::vector<std::byte> back(1 + random.below(16384 - at));
    map.map(at, back.size(), ranges);
    ASSERT_OK(time.run(io.read(ranges, back)));
    ASSERT_TRUE(std::equal(back.begin(), back.end(), model.begin() + static_cast<ptrdiff_t>(at))) << i;
  }
}

TEST_F(DataIoTest, ConcurrentPartialWritesToOneBlockKeepEachOther) {
  const ExtentMap map({{0, 1 << 20, 4096}});
  io::TaskGroup group(time.context.get_executor());
  std::vector<std::vector<std::byte>> data;
  for (int i = 0; i < 8; ++i) data.push_back(bytes(64, static_cast<char>('a' + i)));
  auto write = [](DataIo& io, std::vector<MappedRange> ranges, std::span<const std::byte> from) -> io::Task<void> {
    const block::ConstPiece pieces[] = {from};
    Result<void> ok = co_await io.write(std::move(ranges), pieces);
    EXPECT_TRUE(ok.has_value());
  };
  for (uint64_t i = 0; i < 8; ++i) {
    std::vector<MappedRange> ranges;
    map.map(i * 64, 64, ranges);
    group.spawn("write", write(io, ranges, data[i]));
  }
  ASSERT_TRUE(time.run_until([&] { return group.size() == 0; }));
  const auto block = lun.peek(1 << 20, 512);
  for (size_t i = 0; i < 512; ++i) ASSERT_EQ(static_cast<char>(block[i]), static_cast<char>('a' + i / 64)) << i;
}

TEST_F(DataIoTest, HolesReadAsZerosAndCannotBeWritten) {
  std::vector<std::byte> back = bytes(100, 'x');
  ASSERT_OK(time.run(io.read({{0, 100, 0, true}}, back)));
  EXPECT_EQ(back, bytes(100, 0));
  const block::ConstPiece from[] = {back};
  EXPECT_EQ(time.run(io.write({{0, 100, 0, true}}, from)).error().code, Errc::invalid);
}

TEST_F(DataIoTest, FuaIsDurableWithAndWithoutDeviceSupport) {
  for (const bool fua : {true, false}) {
    block::MemoryLun device({.bytes = 16ull << 20, .fua = fua});
    block::MemoryBlockStore on(time.context.get_executor(), device);
    DataIo data_io(time.context.get_executor(), on);
    const auto data = bytes(5000, 'q');
    const block::ConstPiece from[] = {data};
    ASSERT_OK(time.run(data_io.write({{0, 5000, 4096, false}}, from, block::Fua::yes)));
    EXPECT_EQ(device.unflushed_bytes(), 0u);
  }
}

// A device without FUA is flushed. A cache that was lost between the write and its flush must not pass for a flushed one.
TEST_F(DataIoTest, WhatIsWrittenDurablySurvivesATargetThatRestartsBeforeTheFlush) {
  block::MemoryLun plain({.fua = false});
  block::MemoryBlockStore inner(time.context.get_executor(), plain, &time.timers,
                                {std::chrono::milliseconds(1), std::chrono::milliseconds(1), std::chrono::milliseconds(1)},
                                {.retry_for = std::chrono::seconds(5)});
  int flushes = 0;
  block::FaultyBlockStore restarting(inner, [&](block::BlockOp op, uint64_t, uint64_t) -> Result<void> {
    if (op == block::BlockOp::flush && ++flushes == 1) {
      plain.crash(random);
      plain.restart();
      plain.poke(8192, bytes(4096, 'o'));  // whatever the device did with its cache
    }
    return {};
  });
  DataIo durable(time.context.get_executor(), restarting);
  const auto data = bytes(4096, 'n');
  const block::ConstPiece pieces[] = {data};
  ASSERT_OK(time.run(durable.write({{0, 4096, 8192, false}}, pieces, block::Fua::yes)));
  EXPECT_EQ(flushes, 2);
  plain.crash(random);
  plain.restart();
  EXPECT_EQ(plain.peek(8192, 4096), data);
}

}  // namespace
}  // namespace pnfs::volume
