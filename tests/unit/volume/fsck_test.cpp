#include "common/volume/fsck.hpp"

#include "common/volume/catalog_impl.hpp"
#include "tests/unit/volume/volume_fixture.hpp"

namespace pnfs::volume {
namespace {

struct FsckTest : VolumeTest {
  FsckReport check() {
    auto report = time.run(fsck(store));
    EXPECT_TRUE(report.has_value()) << report.error().reason;
    return report ? *report : FsckReport{};
  }
  // Damages a clean volume with SQL, behind the catalog's back.
  void damage(const char* sql) {
    auto volume = mount();
    ASSERT_OK(volume->catalog().impl().db().run(sql));
    ASSERT_OK(volume->catalog().set_setting("touched", "1"));
    close(std::move(volume));
  }
  void make_tree() {
    make();
    auto volume = mount();
    Catalog& catalog = volume->catalog();
    Inode dir = file_inode(*catalog.allocate_fileid());
    dir.type = FileType::directory;
    dir.nlink = 2;
    dir.parent = kRootFileId;
    ASSERT_OK(catalog.put(dir));
    ASSERT_OK(catalog.insert_entry(kRootFileId, "d", dir.fileid));
    Inode root = *catalog.get(kRootFileId);
    root.nlink = 3;
    ASSERT_OK(catalog.put(root));
    const Inode file = file_inode(*catalog.allocate_fileid(), 100000);
    ASSERT_OK(catalog.put(file));
    ASSERT_OK(catalog.insert_entry(dir.fileid, "f", file.fileid));
    ASSERT_OK(volume->extents().allocate(file.fileid, 0, 100000));
    close(std::move(volume));
  }
  bool finds(FindingKind kind) {
    const FsckReport report = check();
    for (const Finding& f : report.findings) {
      if (f.kind == kind && f.error) return true;
    }
    return false;
  }
};

TEST_F(FsckTest, CleanVolumeIsClean) {
  make_tree();
  const FsckReport report = check();
  EXPECT_TRUE(report.clean()) << to_text(report);
  EXPECT_EQ(report.inodes, 3u);
  EXPECT_EQ(report.directories, 2u);
  EXPECT_EQ(report.entries, 2u);
  EXPECT_GT(report.mapped_bytes, 0u);
  EXPECT_EQ(report.mapped_bytes + report.zeroed_bytes, report.data_bytes);
  EXPECT_NE(to_json(report).find("\"clean\": true"), std::string::npos);
}

TEST_F(FsckTest, MountedVolumeCanBeChecked) {
  make_tree();
  auto volume = mount();
  ASSERT_OK(volume->catalog().set_setting("a", "b"));
  durable(*volume);
  const FsckReport report = check();
  EXPECT_TRUE(report.clean()) << to_text(report);
  EXPECT_TRUE(report.owner.active);
  EXPECT_GT(report.log_bytes_replayed, 0u);
  close(std::move(volume));
}

TEST_F(FsckTest, ZerosAreNotAVolume) {
  const FsckReport report = check();
  EXPECT_FALSE(report.clean());
  EXPECT_NE(to_text(report).find("holds all zeros"), std::string::npos) << to_text(report);
}

struct Damage {
  const char* name;
  const char* sql;
  FindingKind kind;
};

struct FsckDamageTest : FsckTest, ::testing::WithParamInterface<Damage> {};

TEST_P(FsckDamageTest, IsFound) {
  make_tree();
  damage(GetParam().sql);
  EXPECT_TRUE(finds(GetParam().kind)) << to_text(check());
}

INSTANTIATE_TEST_SUITE_P(
    Each, FsckDamageTest,
    ::testing::Values(
        Damage{"Leak",
               "INSERT INTO extents VALUES(99, 0, (SELECT volume_offset + length - 4096 FROM zeroed), 4096);"
               "UPDATE zeroed SET length = length - 4096",
               FindingKind::leak},
        Damage{"Double", "UPDATE zeroed SET length = length + 4096, volume_offset = volume_offset - 4096",
               FindingKind::doubly_used},
        Damage{"OutOfRange", "INSERT INTO quarantine VALUES(4096, 4096, 1)", FindingKind::out_of_range},
        Damage{"FileOverlap",
               "INSERT INTO extents SELECT fileid, 4096, (SELECT volume_offset FROM zeroed), 4096 FROM extents;"
               "UPDATE zeroed SET length = length - 4096, volume_offset = volume_offset + 4096",
               FindingKind::doubly_used},
        Damage{"LinkCount", "UPDATE inodes SET nlink = 2 WHERE type = 1", FindingKind::link_count},
        Damage{"DirectoryLinkCount", "UPDATE inodes SET nlink = 7 WHERE fileid = 1", FindingKind::link_count},
        Damage{"MissingInode", "DELETE FROM inodes WHERE type = 1; DELETE FROM extents", FindingKind::entry},
        Damage{"Orphan", "DELETE FROM entries WHERE name = CAST('f' AS BLOB)", FindingKind::orphan},
        Damage{"WrongParent", "UPDATE inodes SET parent = 77 WHERE type = 2 AND fileid != 1", FindingKind::entry},
        Damage{"Ring", "UPDATE entries SET dir = fileid, cookie = 50 WHERE name = CAST('d' AS BLOB)",
               FindingKind::orphan},
        Damage{"Cookie", "UPDATE inodes SET next_cookie = 3", FindingKind::entry},
        Damage{"FileId", "UPDATE settings SET value = CAST('2' AS BLOB) WHERE key = CAST('volume.next_fileid' AS BLOB)",
               FindingKind::attribute}),
    [](const auto& info) { return info.param.name; });

TEST_F(FsckTest, DamagedCatalogPageIsFound) {
  make_tree();
  const Superblock s = *time.run(probe(store));
  std::vector<std::byte> junk(2048, std::byte{0xa5});
  lun.poke(s.catalog.offset + 3 * kPageBytes, junk);
  EXPECT_TRUE(finds(FindingKind::catalog));
}

TEST_F(FsckTest, DamagedSuperblockCopyIsFoundAndTheOtherIsUsed) {
  make_tree();
  std::vector<std::byte> junk(100, std::byte{0xa5});
  lun.poke(kSuperblockOffsets[0] + 50, junk);
  const FsckReport report = check();
  EXPECT_TRUE(report.is_volume);
  EXPECT_EQ(report.errors(), 1u) << to_text(report);
  auto volume = mount();
  ASSERT_NE(volume, nullptr);
  close(std::move(volume));
}

}  // namespace
}  // namespace pnfs::volume
