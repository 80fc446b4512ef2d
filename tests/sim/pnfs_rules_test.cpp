// What a data server must accept and refuse (RFC 8881 13.6 to 13.11), asked on the wire in a simulated cluster.
#include "tests/sim/data_server_fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;
using client::Compound;
using client::OpenHow;

TEST_F(DataServerRules, ALiveOpenStateidIsGood) {
  begin();
  EXPECT_EQ(read(zero(file->stateid)), NFS4_OK);
  EXPECT_EQ(write(zero(file->stateid)), NFS4_OK);
}

TEST_F(DataServerRules, SpecialAndUnknownStateidsAreBad) {
  begin();
  stateid4 special;
  EXPECT_EQ(read(special), NFS4ERR_BAD_STATEID) << "anonymous";
  special.seqid = UINT32_MAX;
  special.other.bytes.fill(std::byte{0xff});
  EXPECT_EQ(read(special), NFS4ERR_BAD_STATEID) << "read bypass";
  special.other.bytes.fill(std::byte{0});
  EXPECT_EQ(write(special), NFS4ERR_BAD_STATEID) << "invalid";
  stateid4 current;
  current.seqid = 1;
  EXPECT_EQ(write(current), NFS4ERR_BAD_STATEID) << "there is no current stateid here";
  stateid4 unknown = zero(file->stateid);
  unknown.other.bytes[11] ^= std::byte{0x55};
  EXPECT_EQ(read(unknown), NFS4ERR_BAD_STATEID);
  EXPECT_EQ(read(zero(file->layout->stateid)), NFS4ERR_BAD_STATEID) << "a layout stateid is not for I/O";
}

TEST_F(DataServerRules, ASeqidIsJudgedAsAtTheMdsUnlessStrict) {
  begin();
  stateid4 stateid = file->stateid;
  EXPECT_EQ(read(stateid), NFS4_OK);
  stateid.seqid += 7;
  EXPECT_EQ(read(stateid), NFS4ERR_BAD_STATEID) << "the future";
  // The same open once more: the first seqid is old now.
  const stateid4 old = file->stateid;
  ASSERT_DONE(run(fs->open("file", OpenHow::write())));
  EXPECT_EQ(read(old), NFS4ERR_OLD_STATEID);
  EXPECT_EQ(read(zero(old)), NFS4_OK);
}

TEST_F(DataServerRules, StrictSeqidRefusesEveryOther) {
  Options options = sparse();
  options.ds.strict_seqid = true;
  begin(std::move(options));
  EXPECT_EQ(read(file->stateid), NFS4ERR_BAD_STATEID);
  EXPECT_EQ(read(zero(file->stateid)), NFS4_OK);
}

TEST_F(DataServerRules, AStateidOfAnotherFileIsBad) {
  begin();
  const auto other = create("other");
  ASSERT_DONE(run(fs->write_striped(other, 0, pattern(4096))));
  EXPECT_EQ(read(zero(other->stateid)), NFS4ERR_BAD_STATEID);
}

TEST_F(DataServerRules, AnOpenForReadingDoesNotLetWrite) {
  begin();
  ASSERT_DONE(run(fs->close(file)));
  const auto reader = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(reader);
  file = *reader;
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  EXPECT_EQ(read(zero(file->stateid)), NFS4_OK);
  EXPECT_EQ(write(zero(file->stateid)), NFS4ERR_OPENMODE);
}

TEST_F(DataServerRules, AReadLayoutDoesNotLetWrite) {
  begin();
  ASSERT_DONE(run(fs->layoutreturn(file)));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  EXPECT_EQ(write(zero(file->stateid)), NFS4ERR_PNFS_NO_LAYOUT);
  EXPECT_EQ(read(zero(file->stateid)), NFS4_OK);
  // Asked for again it does, at once: what the data server was told before does not stand in the way.
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  EXPECT_EQ(write(zero(file->stateid)), NFS4_OK);
}

TEST_F(DataServerRules, AnotherClientsStateidIsBad) {
  begin();
  auto& other = cluster().add_client("client2");
  ASSERT_DONE(run(other.mount(cluster().mds_address())));
  const uint32_t number = server_of(0);
  EXPECT_EQ(ask(ds(number, &other), handle(), OP_READ, READ4args{zero(file->stateid), 0, 4096}), NFS4ERR_BAD_STATEID);
}

TEST_F(DataServerRules, WithoutALayoutThereIsNoIo) {
  begin();
  const client::Fh fh = handle();
  const uint32_t number = server_of(0);
  EXPECT_EQ(write(zero(file->stateid)), NFS4_OK);
  ASSERT_DONE(run(fs->layoutreturn(file)));
  EXPECT_EQ(ask(ds(number), fh, OP_READ, READ4args{zero(file->stateid), 0, 4096}), NFS4ERR_PNFS_NO_LAYOUT);
}

TEST_F(DataServerRules, ALayoutThatGrewCountsAtOnce) {
  Options options = sparse(4096);
  options.mds.personality->striping.segment_bytes = 64 * 1024;
  start(std::move(options));
  file = create("file");
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW, 0, 64 * 1024)));
  EXPECT_EQ(write(zero(file->stateid), 0), NFS4_OK);
  const uint64_t beyond = 64 * 1024;  // the same data server's stripe
  const uint32_t number = server_of(0);
  EXPECT_EQ(write(zero(file->stateid), beyond, number), NFS4ERR_PNFS_NO_LAYOUT);
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW, beyond, 64 * 1024)));
  EXPECT_EQ(write(zero(file->stateid), beyond, number), NFS4_OK);
}

TEST_F(DataServerRules, OtherServersStripesAreAHole) {
  begin();
  const uint32_t wrong = 3 - server_of(0);
  EXPECT_EQ(read(zero(file->stateid), 0, wrong), NFS4ERR_PNFS_IO_HOLE);
  EXPECT_EQ(write(zero(file->stateid), 0, wrong), NFS4ERR_PNFS_IO_HOLE);
}

TEST_F(DataServerRules, WhatIsNotForADataServerIsRefused) {
  begin();
  client::Session& session = ds(1);
  EXPECT_EQ(ask(session, handle(), OP_GETATTR, GETATTR4args{}), NFS4ERR_NOTSUPP);
  EXPECT_EQ(ask(session, handle(), OP_CLOSE, CLOSE4args{0, file->stateid}), NFS4ERR_NOTSUPP);
  auto root = Compound::in_session();
  root->add(OP_PUTROOTFH);
  EXPECT_EQ((*run(session.run(root)))->status(), NFS4ERR_NOTSUPP);
  EXPECT_EQ(ask(session, file->fh, OP_READ, READ4args{zero(file->stateid), 0, 4096}), NFS4ERR_BADHANDLE)
      << "the MDS's filehandle";
  // And the other way round.
  auto compound = Compound::in_session();
  compound->putfh(handle());
  EXPECT_EQ((*run(fs->session().run(compound)))->status(), NFS4ERR_BADHANDLE);
}

TEST_F(DataServerRules, HolesReadAsZerosAndTheEndIsTold) {
  Options options = sparse(4096);
  start(std::move(options));
  file = create("file");
  // One block far out: everything before it is a hole, at whatever data server.
  ASSERT_DONE(run(fs->write_striped(file, 1 << 20, pattern(4096))));
  auto at = [&](uint64_t offset) {
    auto compound = Compound::in_session();
    compound->putfh(handle()).add(OP_READ, READ4args{zero(file->stateid), offset, 4096});
    auto reply = run(ds(server_of(offset)).run(compound));
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<READ4res>(OP_READ).resok4;
    return std::make_pair(std::vector<std::byte>(res.data.bytes.begin(), res.data.bytes.end()), static_cast<bool>(res.eof));
  };
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  for (const uint64_t offset : {0u, 4096u, 65536u, 69632u}) {
    const auto [bytes, eof] = at(offset);
    EXPECT_EQ(bytes, std::vector<std::byte>(4096)) << "13.10: a hole at " << offset;
    EXPECT_FALSE(eof);
  }
  const auto last = at(1 << 20);
  EXPECT_EQ(last.first, pattern(4096));
  EXPECT_TRUE(last.second);
  const auto past = at((1 << 20) + 4096);
  EXPECT_TRUE(past.first.empty());
  EXPECT_TRUE(past.second);
}

TEST_F(DataServerRules, ADataServerLearnsOfASizeThatAnotherOneMade) {
  Options options = sparse(4096);
  start(std::move(options));
  file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(4096))));
  const uint64_t there = 4096;  // the other data server's
  ASSERT_NE(server_of(0), server_of(there));
  EXPECT_EQ(read(zero(file->stateid), there), NFS4_OK);
  // The MDS is told: the other data server, which believed the file to end before, asks and knows.
  ASSERT_DONE(run(fs->write_striped(file, 1 << 20, pattern(4096), FILE_SYNC4)));
  auto compound = Compound::in_session();
  compound->putfh(handle()).add(OP_READ, READ4args{zero(file->stateid), there, 4096});
  auto reply = run(ds(server_of(there)).run(compound));
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<READ4res>(OP_READ).resok4;
  EXPECT_EQ(res.data.size(), 4096u);
  EXPECT_FALSE(res.eof);
}

TEST_F(DataServerRules, StabilityIsWhatWasAskedFor) {
  begin();
  auto written = [&](stable_how4 stable, uint64_t offset) {
    const auto bytes = std::make_shared<const std::vector<std::byte>>(pattern(4096, 77));
    auto compound = Compound::in_session();
    compound->putfh(handle()).add(OP_WRITE, WRITE4args{zero(file->stateid), offset, stable, {*bytes}});
    compound->hold(bytes);
    auto reply = run(ds(server_of(offset)).run(compound));
    (*reply)->ok(OP_PUTFH);
    return (*reply)->get<WRITE4res>(OP_WRITE).resok4.committed;
  };
  EXPECT_EQ(written(UNSTABLE4, 0), UNSTABLE4);
  EXPECT_EQ(written(DATA_SYNC4, 4096), DATA_SYNC4);
  const uint64_t end = 3 << 20;
  EXPECT_EQ(written(FILE_SYNC4, end), FILE_SYNC4);
  EXPECT_EQ(run(fs->getattr("file"))->size, end + 4096) << "FILE_SYNC: the MDS holds the size";
  // Everything dies; what was said to be stable is there, the size of the FILE_SYNC write too.
  cluster().lun().crash(cluster().sim().random());
  for (const char* node : {"client1", "ds1", "ds2", "mds"}) cluster().kill(node);
  cluster().lun().restart();
  for (const char* node : {"mds", "ds1", "ds2"}) ASSERT_TRUE(cluster().restart(node)) << node;
  fs = &cluster().add_client("client2");
  ASSERT_DONE(run(fs->mount(cluster().mds_address())));
  const auto again = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(again);
  EXPECT_EQ(ClusterTest::read(*again, 4096, 4096), pattern(4096, 77));
  EXPECT_EQ(ClusterTest::read(*again, 4096, end), pattern(4096, 77));
}

TEST_F(DataServerRules, UnderCommitThruMdsOneVerifierSpeaksForAll) {
  Options options = sparse();
  options.mds.personality->striping.commit_thru_mds = true;
  start(std::move(options));
  file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  ASSERT_EQ(file->uncommitted.size(), 2u);
  const verifier4 first = file->uncommitted.begin()->second.verifier;
  for (const auto& [number, written] : file->uncommitted) EXPECT_EQ(written.verifier, first);
  const auto committed = run(fs->commit(file));
  ASSERT_DONE(committed);
  EXPECT_EQ(*committed, first);
  // The target restarts: no verifier from before it is ever seen again, whoever answers and whenever.
  std::set<std::array<std::byte, 8>> before{first.bytes};
  for (int round = 0; round < 6; ++round) {
    cluster().lun().crash(cluster().sim().random());
    cluster().lun().restart();
    std::set<std::array<std::byte, 8>> now;
    for (int i = 0; i < 5; ++i) {
      const auto again = run(fs->commit(file));
      if (again) now.insert(again->bytes);
      cluster().run_for(700ms);
    }
    for (const auto& verifier : now) EXPECT_FALSE(before.contains(verifier)) << "round " << round;
    before.merge(now);
  }
}

}  // namespace
}  // namespace pnfs::cluster
