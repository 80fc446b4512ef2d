#include "common/volume/volume.hpp"

#include "tests/unit/volume/volume_fixture.hpp"

namespace pnfs::volume {
namespace {

TEST_F(VolumeTest, FilesAndEntriesComeBackAfterACleanEnd) {
  make({.cluster = "c", .name = "n", .node_slots = 3});
  auto volume = mount();
  ASSERT_NE(volume, nullptr);
  EXPECT_EQ(volume->boot_instance(), 1u);
  EXPECT_EQ(volume->superblock().cluster, "c");
  Catalog& catalog = volume->catalog();
  auto id = catalog.allocate_fileid();
  ASSERT_OK(id);
  Inode inode = file_inode(*id, 5000);
  inode.symlink_target = std::string("a\0b", 3);
  inode.has_create_verifier = true;
  inode.create_verifier.fill(std::byte{7});
  inode.mtime = {-5, 999'999'999};
  ASSERT_OK(catalog.put(inode));
  auto cookie = catalog.insert_entry(kRootFileId, "f\xc3\xa4", *id);
  ASSERT_OK(cookie);
  EXPECT_EQ(*cookie, kFirstCookie);
  close(std::move(volume));

  volume = mount();
  ASSERT_NE(volume, nullptr);
  EXPECT_EQ(volume->boot_instance(), 2u);
  auto entry = volume->catalog().lookup(kRootFileId, "f\xc3\xa4");
  ASSERT_OK(entry);
  auto found = volume->catalog().get(entry->fileid);
  ASSERT_OK(found);
  EXPECT_EQ(*found, inode);
  auto next = volume->catalog().allocate_fileid();
  ASSERT_OK(next);
  EXPECT_GT(*next, *id);
  close(std::move(volume));
}

TEST_F(VolumeTest, WhatWasDurableSurvivesACrashWithoutCheckpoint) {
  make();
  auto volume = mount();
  for (int i = 0; i < 100; ++i) {
    auto id = volume->catalog().allocate_fileid();
    ASSERT_OK(volume->catalog().put(file_inode(*id)));
    ASSERT_OK(volume->catalog().insert_entry(kRootFileId, "file" + std::to_string(i), *id));
  }
  EXPECT_FALSE(volume->catalog().is_durable(volume->catalog().ticket()));
  durable(*volume);
  EXPECT_TRUE(volume->catalog().is_durable(volume->catalog().ticket()));
  time.run(volume->abandon());
  volume.reset();
  lun.crash(random);
  lun.restart();
  block::MemoryBlockStore again{time.context.get_executor(), lun};
  auto opened = time.run(Volume::open(again, {}, time.timers, random));
  ASSERT_OK(opened);
  auto entries = (*opened)->catalog().list(kRootFileId, 0, 1000);
  ASSERT_OK(entries);
  EXPECT_EQ(entries->size(), 100u);
  EXPECT_OK(time.run((*opened)->close()));
}

TEST_F(VolumeTest, SavepointRollsBackCatalogAndSpace) {
  make();
  auto volume = mount();
  Catalog& catalog = volume->catalog();
  auto id = catalog.allocate_fileid();
  ASSERT_OK(catalog.put(file_inode(*id)));
  const Ticket before = catalog.ticket();
  const uint64_t zeroed = volume->extents().space().zeroed_bytes;
  {
    auto savepoint = catalog.begin();
    ASSERT_OK(savepoint);
    Inode changed = file_inode(*id, 77);
    ASSERT_OK(catalog.put(changed));
    EXPECT_EQ(catalog.get(*id)->size, 77u);
    ASSERT_OK(catalog.insert_entry(kRootFileId, "x", *id));
    ASSERT_OK(volume->extents().allocate(*id, 0, 1));
    EXPECT_LT(volume->extents().space().zeroed_bytes, zeroed);
  }
  EXPECT_EQ(catalog.get(*id)->size, 0u);
  EXPECT_EQ(catalog.lookup(kRootFileId, "x").error().code, Errc::not_found);
  EXPECT_EQ(volume->extents().space().zeroed_bytes, zeroed);
  EXPECT_TRUE(volume->extents().get(*id)->empty());
  EXPECT_EQ(catalog.ticket(), before);
  close(std::move(volume));
}

TEST_F(VolumeTest, ChangeNeverGoesBackwards) {
  make();
  auto volume = mount();
  Inode inode = file_inode(*volume->catalog().allocate_fileid());
  inode.change = 10;
  ASSERT_OK(volume->catalog().put(inode));
  inode.change = 3;
  ASSERT_OK(volume->catalog().put(inode));
  EXPECT_EQ(volume->catalog().get(inode.fileid)->change, 10u);
  inode.change = 2;
  ASSERT_OK(volume->catalog().put(inode));  // now it is cached
  EXPECT_EQ(volume->catalog().get(inode.fileid)->change, 10u);
  close(std::move(volume));
}

TEST_F(VolumeTest, CookiesAreNeverReused) {
  make();
  auto volume = mount();
  Catalog& catalog = volume->catalog();
  ASSERT_OK(catalog.put(file_inode(50)));
  auto a = catalog.insert_entry(kRootFileId, "a", 50);
  ASSERT_OK(catalog.erase_entry(kRootFileId, "a"));
  auto b = catalog.insert_entry(kRootFileId, "b", 50);
  ASSERT_OK(b);
  EXPECT_GT(*b, *a);
  EXPECT_EQ(catalog.insert_entry(kRootFileId, "b", 50).error().code, Errc::exists);
  auto listed = catalog.list_with_inodes(kRootFileId, *a, 10);
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ((*listed)[0].inode.fileid, 50u);
  EXPECT_EQ((*listed)[0].entry.name, "b");
  for (const char* bad : {"", ".", "..", "a/b"}) {
    EXPECT_EQ(catalog.insert_entry(kRootFileId, bad, 50).error().code, Errc::invalid);
  }
  close(std::move(volume));
}

TEST_F(VolumeTest, SecondMountIsRefusedWhileTheFirstLives) {
  make();
  auto volume = mount({.node = "first", .pid = 77});
  block::MemoryBlockStore other{time.context.get_executor(), lun};
  auto second = time.run(Volume::open(other, {.node = "second"}, time.timers, random));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().reason.find("in use by MDS 'first' (pid 77)"), std::string::npos) << second.error().reason;
  close(std::move(volume));
}

TEST_F(VolumeTest, ForcedMountFencesTheFirst) {
  make();
  auto first = mount({.node = "first"});
  std::string told;
  first->on_failure([&](const Error& e) { told = e.reason; });
  block::MemoryBlockStore other{time.context.get_executor(), lun};
  auto second = time.run(Volume::open(other, {.node = "second", .force = true}, time.timers, random));
  ASSERT_OK(second);
  ASSERT_OK(first->catalog().set_setting("late", "1"));
  auto late = time.run(first->durable(first->catalog().ticket()));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Errc::fenced) << late.error().reason;
  EXPECT_NE(told, "");
  time.run(first->abandon());
  EXPECT_FALSE(*(*second)->catalog().setting("late"));
  EXPECT_OK(time.run((*second)->close()));
}

TEST_F(VolumeTest, TargetThatForgotItsReservationsIsGivenThemAgain) {
  make();
  auto volume = mount();
  lun.crash(random);
  time.timers.schedule_after(std::chrono::milliseconds(500), [&] { lun.restart(); });
  ASSERT_OK(volume->catalog().set_setting("a", "b"));
  durable(*volume);
  auto reservation = time.run(store.reservation());
  ASSERT_OK(reservation);
  EXPECT_EQ(reservation->holder, volume->reservation_key());
  close(std::move(volume));
}

TEST_F(VolumeTest, NodeAboveTheSlotsIsRefused) {
  make({.node_slots = 2});
  auto volume = mount();
  Catalog& catalog = volume->catalog();
  for (const char* name : {"ds1", "ds2"}) {
    NodeRecord node;
    node.name = name;
    node.slot = *catalog.slot_for(name);
    ASSERT_OK(catalog.put_node(node));
  }
  EXPECT_EQ(*catalog.slot_for("ds1"), 1u);
  auto third = catalog.slot_for("ds3");
  ASSERT_FALSE(third.has_value());
  EXPECT_NE(third.error().reason.find("2 node slots"), std::string::npos);
  close(std::move(volume));
}

TEST_F(VolumeTest, WriteEpochIsRaisedDurably) {
  make();
  auto volume = mount();
  const uint64_t before = volume->write_epoch();
  auto raised = time.run(volume->raise_write_epoch());
  ASSERT_OK(raised);
  EXPECT_EQ(*raised, before + 1);
  close(std::move(volume));
  EXPECT_EQ(time.run(probe(store))->write_epoch, before + 1);
}

TEST_F(VolumeTest, CheckpointsKeepTheLogBounded) {
  make({.catalog_bytes = 8ull << 20});
  auto volume = mount();
  // Far more than the log of 2 MiB holds.
  for (int i = 0; i < 4000; ++i) {
    Result<void> ok = volume->catalog().set_setting("key" + std::to_string(i % 50), std::string(3000, 'a' + i % 26));
    if (!ok && ok.error().code == Errc::busy) {
      durable(*volume);
      ok = volume->catalog().set_setting("key" + std::to_string(i % 50), std::string(3000, 'a' + i % 26));
    }
    ASSERT_OK(ok);
    if (i % 16 == 0) durable(*volume);
  }
  durable(*volume);
  time.run(volume->abandon());
  volume = mount();
  for (int i = 3950; i < 4000; ++i) {
    auto value = volume->catalog().setting("key" + std::to_string(i % 50));
    ASSERT_OK(value);
    ASSERT_TRUE(*value);
    EXPECT_EQ((**value)[0], 'a' + i % 26);
  }
  close(std::move(volume));
}

}  // namespace
}  // namespace pnfs::volume
