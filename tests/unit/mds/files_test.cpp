// Names, attributes and data through a whole metadata server.
#include "mds/namespace/namespace.hpp"

#include <set>

#include "common/nfs/attributes.hpp"
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

// One READDIR of at most `bytes`, from a cookie on.
struct Listed {
  nfsstat4 status = NFS4_OK;
  std::vector<std::pair<std::string, uint64_t>> entries;
  verifier4 verifier;
  bool eof = false;
};
Listed list_some(io::Simulation& sim, client::FileSystem& fs, std::span<const std::byte> dir, uint64_t cookie,
                 verifier4 verifier, uint32_t bytes) {
  auto compound = client::Compound::in_session();
  compound->putfh(dir).add(OP_READDIR, READDIR4args{cookie, verifier, bytes, bytes, {}});
  auto reply = sim.run(fs.session().run(compound));
  Listed listed;
  if (!reply) return {.status = reply.error().status};
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<READDIR4res>(OP_READDIR);
  listed.status = res.status;
  if (res.status != NFS4_OK) return listed;
  for (const entry4& entry : res.resok4.reply.entries.items)
    listed.entries.emplace_back(std::string(entry.name.text), entry.cookie);
  listed.verifier = res.resok4.cookieverf;
  listed.eof = res.resok4.reply.eof;
  return listed;
}

TEST_F(MdsTest, AListingGoesOnWhileEntriesComeAndGo) {
  auto& fs = mount();
  ASSERT_DONE(sim.run(fs.mkdir("d")));
  for (int i = 0; i < 60; ++i) ASSERT_DONE(sim.run(fs.close(create(fs, "d/old" + std::to_string(i)))));
  const auto dir = *sim.run(fs.lookup("d"));
  std::multiset<std::string> seen;
  Listed page;
  uint64_t cookie = 0;
  for (int round = 0; !page.eof; ++round) {
    ASSERT_LT(round, 100);
    page = list_some(sim, fs, dir, cookie, page.verifier, 400);
    ASSERT_EQ(page.status, NFS4_OK);
    for (const auto& [name, at] : page.entries) {
      EXPECT_GT(at, cookie) << "cookies only grow";
      cookie = at;
      seen.insert(name);
    }
    // What was listed last goes, its cookie stays a place to go on from; something new comes; a restart in the middle.
    if (!page.entries.empty() && round % 2 == 0) EXPECT_DONE(sim.run(fs.remove("d/" + page.entries.back().first)));
    if (round < 5) ASSERT_DONE(sim.run(fs.close(create(fs, "d/new" + std::to_string(round)))));
    if (round == 3) {
      stop();
      start();
      ASSERT_DONE(sim.run(fs.getattr("d")));
    }
  }
  for (int i = 0; i < 60; ++i) EXPECT_EQ(seen.count("old" + std::to_string(i)), 1u) << i;
  for (const std::string& name : std::set(seen.begin(), seen.end())) EXPECT_EQ(seen.count(name), 1u) << name;
  EXPECT_EQ(list_some(sim, fs, dir, 1, page.verifier, 4096).status, NFS4ERR_BAD_COOKIE);
  EXPECT_EQ(list_some(sim, fs, dir, cookie, {}, 4096).status, NFS4ERR_NOT_SAME);
  EXPECT_EQ(list_some(sim, fs, dir, 0, {}, 20).status, NFS4ERR_TOOSMALL);
}

TEST_F(MdsTest, AllSevenTypes) {
  auto& fs = mount();
  const auto make = [&](nfs_ftype4 type, std::string_view name) {
    CREATE4args args;
    args.objtype.type = type;
    args.objtype.linkdata.text = "to";
    args.objtype.devdata = {8, 17};
    args.objname.text = name;
    auto compound = client::Compound::in_session();
    compound->putfh(fs.root()).add(OP_CREATE, args).add(OP_GETATTR, GETATTR4args{{FATTR4_TYPE, FATTR4_RAWDEV}});
    auto reply = sim.run(fs.session().run(compound));
    if (!reply) return reply.error().status;
    (*reply)->ok(OP_PUTFH);
    const auto& made = (*reply)->get<CREATE4res>(OP_CREATE);
    if (made.status != NFS4_OK) return made.status;
    Attributes read;
    const auto& got = (*reply)->get<GETATTR4res>(OP_GETATTR).resok4.obj_attributes;
    EXPECT_TRUE(decode_attributes(got, got.attrmask, DecodeFor::read, (*reply)->arena(), read).ok());
    EXPECT_EQ(read.type, type);
    if (type == NF4BLK || type == NF4CHR) EXPECT_EQ(read.rawdev.specdata2, 17u);
    return NFS4_OK;
  };
  for (const auto& [type, name] : std::initializer_list<std::pair<nfs_ftype4, const char*>>{{NF4DIR, "dir"},
                                                                                            {NF4BLK, "block"},
                                                                                            {NF4CHR, "char"},
                                                                                            {NF4LNK, "link"},
                                                                                            {NF4SOCK, "socket"},
                                                                                            {NF4FIFO, "fifo"}}) {
    EXPECT_EQ(make(type, name), NFS4_OK) << name;
    EXPECT_EQ(make(type, name), NFS4ERR_EXIST) << name;
    if (type != NF4DIR) EXPECT_NFS(type == NF4LNK ? NFS4ERR_SYMLINK : NFS4ERR_WRONG_TYPE, sim.run(fs.open(name, {})));
  }
  EXPECT_EQ(make(NF4REG, "regular"), NFS4ERR_BADTYPE) << "by OPEN";
  EXPECT_EQ(make(NF4ATTRDIR, "attributes"), NFS4ERR_BADTYPE);
  ASSERT_DONE(sim.run(fs.close(create(fs, "regular"))));
}

TEST_F(MdsTest, NamesThatMustNotBe) {
  auto& fs = mount();
  const auto status = [&](std::string_view name) {
    CREATE4args args;
    args.objtype.type = NF4DIR;
    args.objname.text = name;
    auto compound = client::Compound::in_session();
    compound->putfh(fs.root()).add(OP_CREATE, args);
    auto reply = sim.run(fs.session().run(compound));
    return reply ? (*reply)->status() : reply.error().status;
  };
  EXPECT_EQ(status(""), NFS4ERR_INVAL);
  EXPECT_EQ(status("."), NFS4ERR_BADNAME);
  EXPECT_EQ(status(".."), NFS4ERR_BADNAME);
  EXPECT_EQ(status("a/b"), NFS4ERR_BADCHAR);
  EXPECT_EQ(status(std::string_view("a\0b", 3)), NFS4ERR_BADCHAR);
  EXPECT_EQ(status("\xc3("), NFS4ERR_INVAL) << "not UTF-8";
  EXPECT_EQ(status(std::string(256, 'n')), NFS4ERR_NAMETOOLONG);
  EXPECT_EQ(status(std::string(255, 'n')), NFS4_OK);
  EXPECT_EQ(status("..."), NFS4_OK);
  EXPECT_EQ(status("\xf0\x9f\x90\x9f"), NFS4_OK);
}

TEST_F(MdsTest, AFullVolumeSaysSoAndGoesOn) {
  auto& fs = mount();
  auto file = create(fs, "big");
  const std::string piece(256 << 10, 'x');
  uint64_t at = 0;
  for (;; at += piece.size()) {
    ASSERT_LT(at, 64u << 20);
    const auto written = sim.run(fs.write(file, at, bytes_of(piece), FILE_SYNC4));
    if (written) continue;
    EXPECT_EQ(written.error().status, NFS4ERR_NOSPC) << client::to_string(written.error());
    break;
  }
  EXPECT_GT(at, 8u << 20);
  EXPECT_EQ(sim.run(fs.getattr("big"))->size, at) << "what failed left nothing";
  EXPECT_EQ(read(fs, file, at - 4, 4), "xxxx");
  write(fs, file, 0, "over what is there");
  EXPECT_DONE(sim.run(fs.mkdir("names need no data space")));
  ASSERT_DONE(sim.run(fs.truncate(file, 4096)));
  sim.run_for(std::chrono::seconds(5));
  write(fs, file, 4096, piece);
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
