// Pictures taken from the LUN while the volume is mounted and changes.
#include "common/volume/snapshot.hpp"

#include "common/volume/log_frames.hpp"
#include "tests/unit/volume/volume_fixture.hpp"

namespace pnfs::volume {
namespace {

struct SnapshotTest : VolumeTest {
  std::shared_ptr<Snapshot> take(SnapshotReader& reader) {
    auto taken = time.run(reader.take());
    EXPECT_TRUE(taken.has_value()) << taken.error().reason;
    return taken ? *taken : nullptr;
  }
  // One step of the writer: file fN with content of N extents, fN-1 gone; in one transaction.
  void step(Volume& volume, int number) {
    Catalog& catalog = volume.catalog();
    auto savepoint = catalog.begin();
    ASSERT_OK(savepoint);
    const FileId id = *catalog.allocate_fileid();
    ASSERT_OK(catalog.put(file_inode(id, static_cast<uint64_t>(number))));
    ASSERT_OK(catalog.insert_entry(kRootFileId, "f" + std::to_string(number), id));
    if (const auto old = catalog.lookup(kRootFileId, "f" + std::to_string(number - 1))) {
      ASSERT_OK(catalog.erase_entry(kRootFileId, "f" + std::to_string(number - 1)));
      ASSERT_OK(catalog.erase(old->fileid));
    }
    ASSERT_OK(savepoint->release());
  }
  // The number of the only file; -1 when the picture is torn.
  static int only_file(Snapshot& picture) {
    auto listed = picture.catalog().list_with_inodes(kRootFileId, 0, 10);
    if (!listed || listed->size() != 1) return -1;
    const auto& [entry, inode] = listed->front();
    return entry.name == "f" + std::to_string(inode.size) ? static_cast<int>(inode.size) : -1;
  }
};

TEST_F(SnapshotTest, FollowsChangesAndKeepsOldPictures) {
  make();
  auto volume = mount();
  SnapshotReader reader(store, time.context.get_executor());
  step(*volume, 1);
  durable(*volume);
  const auto first = take(reader);
  EXPECT_EQ(only_file(*first), 1);
  EXPECT_EQ(take(reader), first) << "nothing changed";
  step(*volume, 2);
  durable(*volume);
  const auto second = take(reader);
  EXPECT_EQ(only_file(*second), 2);
  EXPECT_EQ(only_file(*first), 1);
  EXPECT_EQ(reader.images_read(), 1u);
  EXPECT_EQ(second->fileids(0, 10)->size(), 2u);  // the root and one file
  close(std::move(volume));
  EXPECT_EQ(only_file(*take(reader)), 2);
}

TEST_F(SnapshotTest, NoPictureIsTornAcrossManyCheckpoints) {
  make();
  auto volume = mount();
  SnapshotReader reader(store, time.context.get_executor());
  step(*volume, 1);
  int written = 1, last = 0;
  bool done = false;
  io::TaskGroup group(time.context.get_executor());
  auto writer = [](SnapshotTest& test, Volume& on, int& number, bool& ended) -> io::Task<void> {
    while (number < 3000) {
      test.step(on, ++number);
      if (number % 3 == 0) (void)co_await on.durable(on.catalog().ticket());
    }
    ended = true;
  };
  group.spawn("writer", writer(*this, *volume, written, done));
  int pictures = 0;
  while (!done) {
    const auto picture = take(reader);
    ASSERT_NE(picture, nullptr);
    const int number = only_file(*picture);
    ASSERT_GE(number, std::max(last, 1)) << "torn or from the past, at picture " << pictures;
    last = number;
    ++pictures;
  }
  EXPECT_GT(pictures, 20);
  EXPECT_GT(reader.images_read(), 2u) << "the log was never full";
  time.run(group.join());
  durable(*volume);
  EXPECT_EQ(only_file(*take(reader)), 3000);
  close(std::move(volume));
}

TEST_F(SnapshotTest, ALogWithATornEndIsReadUpToItsLastWholeTransaction) {
  make();
  auto volume = mount();
  step(*volume, 1);
  durable(*volume);
  const uint64_t log = time.run(probe(store))->log.offset;
  std::vector<std::byte> before(256 * 1024), after(before.size());
  const block::Piece read_before[] = {before}, read_after[] = {after};
  ASSERT_OK(time.run(store.read(log, read_before)));
  step(*volume, 2);
  durable(*volume);
  ASSERT_OK(time.run(store.read(log, read_after)));
  const auto header = LogCursor::begin(before, {});
  ASSERT_TRUE(header.has_value());
  auto pages_of = [&](std::span<const std::byte> bytes) {
    LogCursor cursor = *header;
    size_t pages = 0;
    cursor.advance(bytes.subspan(cursor.end()), [&](uint32_t, auto) { ++pages; });
    return std::pair(cursor.end(), pages);
  };
  const auto [first_end, first_pages] = pages_of(before);
  const auto [second_end, second_pages] = pages_of(after);
  EXPECT_GT(first_pages, 0u);
  EXPECT_GT(second_end, first_end);
  // Any mixture of the two is one of them.
  for (size_t cut = 0; cut < before.size(); cut += 512) {
    std::vector<std::byte> torn = before;
    std::copy(after.begin(), after.begin() + static_cast<ptrdiff_t>(cut), torn.begin());
    const auto [end, pages] = pages_of(torn);
    EXPECT_TRUE(end == first_end || end == second_end || (end > first_end && pages < second_pages)) << cut;
    if (cut < second_end) {
      EXPECT_LT(end, second_end) << cut;
    }
  }
  close(std::move(volume));
}

TEST_F(SnapshotTest, IsRefusedWhereThereIsNoVolume) {
  SnapshotReader reader(store, time.context.get_executor());
  EXPECT_EQ(time.run(reader.take()).error().code, Errc::not_found);
  make();
  EXPECT_OK(time.run(reader.take()));
}

}  // namespace
}  // namespace pnfs::volume
