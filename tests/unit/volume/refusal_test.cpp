// What is not a volume of ours, or cannot become one, is refused with a sentence that says what was found.
#include "tests/unit/volume/volume_fixture.hpp"

namespace pnfs::volume {
namespace {

struct RefusalTest : VolumeTest {
  void put(uint64_t offset, std::string_view text) {
    lun.poke(offset, std::as_bytes(std::span(text.data(), text.size())));
  }
  std::string probe_says() {
    auto found = time.run(probe(store));
    EXPECT_FALSE(found.has_value());
    return found ? "" : found.error().reason;
  }
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(RefusalTest, WhatTheLunLooksLike) {
  EXPECT_SAYS(probe_says(), "holds all zeros");
  put(4000, "junk");
  EXPECT_SAYS(probe_says(), "holds data of an unknown kind");
  put(510, "\x55\xaa");
  EXPECT_SAYS(probe_says(), "holds a partition table (MBR)");
  put(512, "EFI PART");
  EXPECT_SAYS(probe_says(), "holds a partition table (GPT)");
  put(1024 + 56, "\x53\xef");
  EXPECT_SAYS(probe_says(), "holds an ext2 file system");
  put(1024 + 96, "\x40");
  EXPECT_SAYS(probe_says(), "holds an ext4 file system");
}

TEST_F(RefusalTest, MkfsKeepsWhatItRecognisesUnlessForced) {
  put(0, "XFSB");
  auto refused = time.run(mkfs(store, {}, random, time.clock));
  ASSERT_FALSE(refused.has_value());
  EXPECT_SAYS(refused.error().reason, "an XFS file system; use --force");
  make({.force = true});
  auto again = time.run(mkfs(store, {}, random, time.clock));
  ASSERT_FALSE(again.has_value());
  EXPECT_SAYS(again.error().reason, "holds the pnfslab volume pnfslab:vol0 already");
  auto volume = mount({.node = "owner"});
  again = time.run(mkfs(store, {}, random, time.clock));
  ASSERT_FALSE(again.has_value());
  EXPECT_SAYS(again.error().reason, "in use by MDS 'owner'");
  close(std::move(volume));
}

TEST_F(RefusalTest, AnotherVersionIsNamed) {
  make();
  for (uint64_t offset : kSuperblockOffsets) put(offset + 8, std::string_view("\x09\0\0\0", 4));
  EXPECT_SAYS(probe_says(), "format version 9; this program knows version 1 only");
}

TEST_F(RefusalTest, TooSmallAndShrunk) {
  block::MemoryLun small({.bytes = 8ull << 20});
  block::MemoryBlockStore on(time.context.get_executor(), small);
  auto made = time.run(mkfs(on, {}, random, time.clock));
  ASSERT_FALSE(made.has_value());
  EXPECT_SAYS(made.error().reason, "a volume needs at least 16777216");
  make();
  lun = block::MemoryLun({.bytes = 32ull << 20}, lun);
  block::MemoryBlockStore shrunk(time.context.get_executor(), lun);
  auto found = time.run(probe(shrunk));
  ASSERT_FALSE(found.has_value());
  EXPECT_SAYS(found.error().reason, "the LUN has only 33554432");
}

TEST_F(RefusalTest, BadOptions) {
  auto says = [&](MkfsOptions options) {
    auto made = time.run(mkfs(store, options, random, time.clock));
    EXPECT_FALSE(made.has_value());
    return made ? "" : made.error().reason;
  };
  EXPECT_SAYS(says({.node_slots = 0}), "-j 0");
  EXPECT_SAYS(says({.node_slots = 1000}), "-j 1000");
  EXPECT_SAYS(says({.cluster = std::string(100, 'x')}), "1 to 64 characters");
  EXPECT_SAYS(says({.catalog_bytes = 62ull << 20}), "leave no room for data");
  MkfsOptions options;
  for (const char* bad : {"", "x", ":x", "x:", "a:b:c"})
    EXPECT_FALSE(parse_table_name(bad, options).has_value()) << bad;
  ASSERT_OK(parse_table_name("lab:one", options));
  EXPECT_EQ(options.cluster + "/" + options.name, "lab/one");
}

TEST_F(RefusalTest, CrashedOwnerIsTakenOverWhenItsHeartbeatStandsStill) {
  make();
  auto volume = mount({.node = "dead"});
  time.run(volume->abandon());
  const TimePoint before = time.clock.now();
  auto next = mount({.node = "next"});
  ASSERT_NE(next, nullptr);
  EXPECT_GE(time.clock.now() - before, std::chrono::seconds(6));
  time.run(next->abandon());
  // On the same machine the process table says it at once.
  const TimePoint then = time.clock.now();
  volume = mount({.node = "again", .host = "", .is_dead = [](const OwnerRecord&) { return true; }});
  EXPECT_GE(time.clock.now() - then, std::chrono::seconds(6));  // unknown hosts are never the same
  close(std::move(volume));
}

}  // namespace
}  // namespace pnfs::volume
