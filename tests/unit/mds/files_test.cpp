// Names, attributes and data through a whole metadata server.
#include "mds/namespace/namespace.hpp"
#include "tests/unit/mds/mds_fixture.hpp"

namespace pnfs::mds {
namespace {

using namespace nfs;

TEST_F(MdsTest, AFileIsMadeWrittenReadAndRemoved) {
  auto& fs = mount();
  auto file = create(fs, "hello", 0640);
  ASSERT_NE(file, nullptr);
  write(fs, file, 0, "hello world");
  EXPECT_EQ(read(fs, file), "hello world");
  EXPECT_EQ(read(fs, file, 6, 3), "wor");
  auto attributes = sim.run(fs.getattr("hello"));
  ASSERT_DONE(attributes);
  EXPECT_EQ(attributes->size, 11u);
  EXPECT_EQ(attributes->mode, 0640u);
  EXPECT_EQ(attributes->links, 1u);
  EXPECT_EQ(attributes->owner, "0");
  ASSERT_DONE(sim.run(fs.close(file)));
  ASSERT_DONE(sim.run(fs.remove("hello")));
  EXPECT_NFS(NFS4ERR_NOENT, sim.run(fs.getattr("hello")));
  ASSERT_DONE(sim.run(fs.unmount()));
}

TEST_F(MdsTest, HolesReadAsZerosAndTruncatedBytesNeverComeBack) {
  auto& fs = mount();
  auto file = create(fs, "sparse");
  write(fs, file, 100'000, "end");
  EXPECT_EQ(read(fs, file, 99'998, 10), std::string("\0\0end", 5));
  EXPECT_EQ(read(fs, file, 0, 4), std::string(4, '\0'));
  write(fs, file, 0, std::string(6000, 'x'));
  ASSERT_DONE(sim.run(fs.truncate(file, 10)));
  ASSERT_DONE(sim.run(fs.truncate(file, 8192)));
  EXPECT_EQ(read(fs, file, 0, 8192), std::string(10, 'x') + std::string(8182, '\0'));
  EXPECT_EQ(sim.run(fs.getattr("sparse"))->size, 8192u);
}

TEST_F(MdsTest, DirectoriesListInPiecesWhileTheyChange) {
  auto& fs = mount();
  ASSERT_DONE(sim.run(fs.mkdir("d")));
  for (int i = 0; i < 300; ++i) ASSERT_DONE(sim.run(fs.close(create(fs, "d/file" + std::to_string(i)))));
  auto listed = sim.run(fs.readdir("d"));
  ASSERT_DONE(listed);
  EXPECT_EQ(listed->size(), 300u);
  std::set<std::string> names;
  for (const auto& entry : *listed) names.insert(entry.name);
  EXPECT_EQ(names.size(), 300u);
  EXPECT_NFS(NFS4ERR_NOTEMPTY, sim.run(fs.remove("d")));
}

TEST_F(MdsTest, RenameKeepsToTheRules) {
  auto& fs = mount();
  for (const char* dir : {"a", "a/b", "a/b/c", "e"}) ASSERT_DONE(sim.run(fs.mkdir(dir)));
  ASSERT_DONE(sim.run(fs.close(create(fs, "f"))));
  ASSERT_DONE(sim.run(fs.close(create(fs, "g"))));
  EXPECT_NFS(NFS4ERR_INVAL, sim.run(fs.rename("a", "a/b/c/x")));
  EXPECT_NFS(NFS4ERR_EXIST, sim.run(fs.rename("f", "e")));
  EXPECT_NFS(NFS4ERR_EXIST, sim.run(fs.rename("e", "f")));
  EXPECT_NFS(NFS4ERR_NOTEMPTY, sim.run(fs.rename("e", "a")));
  EXPECT_NFS(NFS4ERR_NOENT, sim.run(fs.rename("none", "x")));
  EXPECT_DONE(sim.run(fs.rename("f", "g")));
  EXPECT_NFS(NFS4ERR_NOENT, sim.run(fs.getattr("f")));
  EXPECT_EQ(sim.run(fs.getattr("a"))->links, 3u);
  EXPECT_DONE(sim.run(fs.rename("a/b", "e/b")));
  EXPECT_EQ(sim.run(fs.getattr("a"))->links, 2u);
  EXPECT_EQ(sim.run(fs.getattr("e"))->links, 3u);
  EXPECT_DONE(sim.run(fs.getattr("e/b/c")));
}

TEST_F(MdsTest, LinksAndSymlinks) {
  auto& fs = mount();
  auto file = create(fs, "one");
  write(fs, file, 0, "data");
  ASSERT_DONE(sim.run(fs.link("one", "two")));
  EXPECT_EQ(sim.run(fs.getattr("two"))->links, 2u);
  ASSERT_DONE(sim.run(fs.remove("one")));
  EXPECT_EQ(sim.run(fs.getattr("two"))->links, 1u);
  EXPECT_EQ(read(fs, file), "data");
  ASSERT_DONE(sim.run(fs.symlink("s", "to/where")));
  EXPECT_EQ(*sim.run(fs.readlink("s")), "to/where");
  EXPECT_NFS(NFS4ERR_SYMLINK, sim.run(fs.lookup("s/x")));
}

TEST_F(MdsTest, RemovedFilesLiveUntilTheirLastClose) {
  auto& fs = mount();
  auto file = create(fs, "f");
  write(fs, file, 0, "still here");
  const uint64_t id = *sim.run(fs.getattr("f"))->fileid;
  ASSERT_DONE(sim.run(fs.remove("f")));
  sim.run_for(std::chrono::seconds(2));
  EXPECT_EQ(read(fs, file), "still here");
  ASSERT_DONE(sim.run(fs.close(file)));
  sim.run_for(std::chrono::seconds(2));
  volume::Inode inode;
  EXPECT_EQ(mds->names().get(id, inode).status, NFS4ERR_STALE);
}

TEST_F(MdsTest, PermissionsFollowTheCredential) {
  auto& root = mount();
  ASSERT_DONE(sim.run(root.mkdir("private", 0700)));
  ASSERT_DONE(sim.run(root.close(create(root, "readable", 0644))));
  auto& user = mount("user", 1000);
  EXPECT_NFS(NFS4ERR_ACCESS, sim.run(user.lookup("private/x")));
  EXPECT_NFS(NFS4ERR_ACCESS, sim.run(user.open("readable", client::OpenHow::write())));
  EXPECT_DONE(sim.run(user.open("readable", client::OpenHow::read())));
  EXPECT_NFS(NFS4ERR_PERM, sim.run(user.setattr("readable", {.mode = 0777})));
  EXPECT_NFS(NFS4ERR_ACCESS, sim.run(user.remove("readable")));
}

TEST_F(MdsTest, WhatWasAcknowledgedSurvivesACrash) {
  {
    auto& fs = mount();
    auto file = create(fs, "kept");
    write(fs, file, 0, "stable");
    write(fs, file, 6, " and committed", UNSTABLE4);
    ASSERT_DONE(sim.run(fs.commit(file)));
    sim.run(fs.stop());
    clients.clear();
  }
  crash();
  start();
  auto& fs = mount();
  auto file = sim.run(fs.open("kept", client::OpenHow::read()));
  ASSERT_DONE(file);
  EXPECT_EQ(read(fs, *file), "stable and committed");
}

TEST_F(MdsTest, OpensAreReclaimedAfterARestart) {
  auto& fs = mount();
  auto file = create(fs, "f");
  write(fs, file, 0, "before");
  ASSERT_DONE(sim.run(fs.remove("f")));
  crash();
  start();
  write(fs, file, 0, "after!");
  EXPECT_EQ(read(fs, file), "after!") << "a file without a name lives as long as its reclaimed open";
  EXPECT_GE(fs.recoveries(), 1u);
}

}  // namespace
}  // namespace pnfs::mds
