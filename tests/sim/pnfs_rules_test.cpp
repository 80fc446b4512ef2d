// What a data server must accept and refuse (RFC 8881 13.6 to 13.11), asked on the wire in a simulated cluster.
#include "tests/sim/fixture.hpp"

#include "common/control/control_prot.hpp"
#include "common/control/wire.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;
using client::Compound;
using client::OpenHow;

struct DataServerRules : ClusterTest {
  client::FilePtr file;

  static Options sparse(uint32_t unit = 64 * 1024) {
    Options options;
    options.mds.lease = 12s;
    mds::layout::Personality personality = *mds::layout::make_personality("modern");
    personality.striping.stripe_bytes = unit;
    options.mds.personality = personality;
    return options;
  }
  // A file of 1 MiB under an RW layout.
  void begin(Options options = sparse()) {
    start(std::move(options));
    file = create("file");
    ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
    ASSERT_DONE(run(fs->commit_striped(file)));
    ASSERT_DONE(run(fs->layoutcommit(file)));
  }
  client::Session& ds(uint32_t number, client::FileSystem* who = nullptr) {
    return **run((who != nullptr ? who : fs)->data_server({cluster().ds_address(number)}));
  }
  // The data server that has the byte, and its handle.
  uint32_t server_of(uint64_t offset) {
    const auto& segment = file->layout->segments.front();
    const auto device = run(fs->device(segment.device));
    const auto place = client::place_of(segment, **device, offset);
    for (uint32_t i = 1; i <= 2; ++i)
      if ((*device)->data_servers[place->data_server].front() == cluster().ds_address(i)) return i;
    return 0;
  }
  client::Fh handle() { return file->layout->segments.front().handles.front(); }
  static stateid4 zero(stateid4 stateid) {
    stateid.seqid = 0;
    return stateid;
  }

  // The status of one operation at a data server.
  template <class Args>
  nfsstat4 ask(client::Session& session, const client::Fh& fh, nfs_opnum4 op, const Args& args) {
    auto compound = Compound::in_session();
    compound->putfh(fh).add(op, args);
    auto reply = run(session.run(compound));
    if (!reply) return reply.error().status;
    return (*reply)->status();
  }
  nfsstat4 read(const stateid4& stateid, uint64_t offset = 0, uint32_t number = 0) {
    return ask(ds(number != 0 ? number : server_of(offset)), handle(), OP_READ, READ4args{stateid, offset, 4096});
  }
  nfsstat4 write(const stateid4& stateid, uint64_t offset = 0, uint32_t number = 0) {
    static const auto bytes = pattern(4096);
    return ask(ds(number != 0 ? number : server_of(offset)), handle(), OP_WRITE,
               WRITE4args{stateid, offset, UNSTABLE4, {bytes}});
  }
};

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

// ---- a stateid that dies at the MDS works at no data server any more when the MDS says so (13.9.2)

TEST_F(DataServerRules, AClosedStateidIsDeadEverywhere) {
  begin();
  const stateid4 stateid = zero(file->stateid);
  const client::Fh fh = handle();
  const uint32_t here = server_of(0);
  EXPECT_EQ(read(stateid, 0), NFS4_OK);
  EXPECT_EQ(read(stateid, 64 * 1024), NFS4_OK);
  auto compound = Compound::in_session();
  compound->putfh(file->fh).add(OP_CLOSE, CLOSE4args{0, file->stateid});
  EXPECT_EQ((*run(fs->session().run(compound)))->status(), NFS4_OK);
  EXPECT_EQ(ask(ds(here), fh, OP_READ, READ4args{stateid, 0, 4096}), NFS4ERR_BAD_STATEID);
  EXPECT_EQ(ask(ds(3 - here), fh, OP_READ, READ4args{stateid, 64 * 1024, 4096}), NFS4ERR_BAD_STATEID);
  file->open = false;
}

TEST_F(DataServerRules, ALockStateidDiesWithItsOpen) {
  begin();
  auto lock = Compound::in_session();
  LOCK4args args;
  args.locktype = WRITE_LT;
  args.length = 100;
  args.locker.new_lock_owner = true;
  args.locker.open_owner.open_stateid = file->stateid;
  args.locker.open_owner.lock_owner.clientid = fs->session().clientid();
  const std::string owner = "locker";
  args.locker.open_owner.lock_owner.owner.bytes = std::as_bytes(std::span(owner));
  lock->putfh(file->fh).add(OP_LOCK, args);
  auto locked = run(fs->session().run(lock));
  ASSERT_DONE(locked);
  (*locked)->ok(OP_PUTFH);
  const stateid4 stateid = zero((*locked)->get<LOCK4res>(OP_LOCK).resok4.lock_stateid);
  const client::Fh fh = handle();
  const uint32_t here = server_of(0);
  EXPECT_EQ(read(stateid, 0), NFS4_OK);
  auto compound = Compound::in_session();
  compound->putfh(file->fh).add(OP_CLOSE, CLOSE4args{0, file->stateid});
  EXPECT_EQ((*run(fs->session().run(compound)))->status(), NFS4_OK);
  EXPECT_EQ(ask(ds(here), fh, OP_READ, READ4args{stateid, 0, 4096}), NFS4ERR_BAD_STATEID);
  file->open = false;
}

TEST_F(DataServerRules, ADowngradedStateidWritesNowhere) {
  begin();
  // Opened for reading and for writing, then for reading only.
  ASSERT_DONE(run(fs->open("file", OpenHow::read())));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  EXPECT_EQ(write(zero(file->stateid)), NFS4_OK);
  auto compound = Compound::in_session();
  compound->putfh(file->fh).add(OP_OPEN_DOWNGRADE, OPEN_DOWNGRADE4args{file->stateid, 0, OPEN4_SHARE_ACCESS_READ, 0});
  ASSERT_EQ((*run(fs->session().run(compound)))->status(), NFS4_OK);
  EXPECT_EQ(write(zero(file->stateid)), NFS4ERR_OPENMODE);
  EXPECT_EQ(read(zero(file->stateid)), NFS4_OK);
}

TEST_F(DataServerRules, ChangedPermissionsAreAskedForAgain) {
  begin();
  EXPECT_EQ(write(zero(file->stateid)), NFS4_OK);
  EXPECT_GT(cluster().ds(server_of(0)).link().verdicts().size(), 0u);
  client::NewAttributes mode;
  mode.mode = 0400;
  ASSERT_DONE(run(fs->setattr("file", mode)));
  EXPECT_EQ(cluster().ds(1).link().verdicts().size(), 0u) << "13.9.2.3: propagated before the answer";
  EXPECT_EQ(cluster().ds(2).link().verdicts().size(), 0u);
}

TEST_F(DataServerRules, AnExpiredClientsStateidIsDeadBeforeAnybodyTakesItsPlace) {
  Options options = sparse();
  options.mds.courtesy = 0s;
  begin(std::move(options));
  const stateid4 stateid = zero(file->stateid);
  const client::Fh fh = handle();
  const uint32_t here = server_of(0);
  client::Session& session = ds(here);
  EXPECT_EQ(write(stateid), NFS4_OK);
  cluster().partition("client1", "mds");
  // It keeps its lease at the data server, so that its session there stays.
  for (int i = 0; i < 12; ++i) {
    cluster().run_for(2s);
    EXPECT_TRUE(run(session.run(Compound::in_session())));
  }
  EXPECT_EQ(ask(session, fh, OP_READ, READ4args{stateid, 0, 4096}), NFS4ERR_BAD_STATEID);
}

TEST_F(DataServerRules, ARestartedMdsKnowsNoOldStateids) {
  begin();
  const stateid4 stateid = zero(file->stateid);
  const client::Fh fh = handle();
  const uint32_t here = server_of(0);
  client::Session& session = ds(here);
  EXPECT_EQ(write(stateid), NFS4_OK);
  cluster().kill("mds");
  ASSERT_TRUE(cluster().restart("mds"));
  cluster().run_for(2s);  // the data servers join again
  const nfsstat4 status = ask(session, fh, OP_WRITE, WRITE4args{stateid, 0, UNSTABLE4, {}});
  EXPECT_TRUE(status == NFS4ERR_BAD_STATEID || status == NFS4ERR_STALE_STATEID || status == NFS4ERR_PNFS_NO_LAYOUT)
      << status_name(status);
}

TEST_F(DataServerRules, ADataServerHasALeaseOfItsOwn) {
  begin();
  client::Session& session = ds(1);
  EXPECT_TRUE(run(session.run(Compound::in_session())));
  cluster().run_for(60s);
  const auto reply = run(session.run(Compound::in_session()));
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(NFS4ERR_BADSESSION)) << client::to_string(reply.error());
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

// ---- what `pnfslab nodes` and `pnfslab locks` show

struct ClusterListing : DataServerRules {
  template <class Res, class Args, class Check>
  void ask_mds(control::control_proc proc, const Args& args, Check check) {
    auto go = [](Cluster& c, io::Network& network, control::control_proc which, const Args& what, Check& then) -> io::Task<void> {
      rpc::Client rpc(network, c.sim().timers());
      auto connection = co_await rpc.connect(c.mds_address(), 1s);
      if (connection) {
        auto answer = co_await control::call<Res>(*connection, which, what, 1s);
        EXPECT_TRUE(answer);
        if (answer) then(answer->res);
      }
      co_await rpc.stop();
    };
    run(go(cluster(), cluster().add_node(fmt::format("asker{}", asked++)), proc, args, check));
  }
  int asked = 0;
};

TEST_F(ClusterListing, NodesAndLocks) {
  begin();
  ask_mds<control::NODESres>(control::CTLPROC_NODES, control::NODESargs{}, [](const control::NODESres& res) {
    ASSERT_EQ(res.ok.nodes.size(), 3u);
    EXPECT_EQ(res.ok.nodes[0].name.text, "mds");
    for (size_t i = 1; i < 3; ++i) {
      EXPECT_EQ(res.ok.nodes[i].state, control::NODE_MEMBER);
      EXPECT_TRUE(res.ok.nodes[i].connected);
      EXPECT_GT(res.ok.nodes[i].lease_left_ms, 0u);
      EXPECT_GT(res.ok.nodes[i].grants, 0u);
      EXPECT_GT(res.ok.nodes[i].verdicts, 0u);
      ASSERT_EQ(res.ok.nodes[i].addresses.size(), 1u);
      EXPECT_EQ(res.ok.nodes[i].addresses[0].ip.text, fmt::format("10.0.0.{}", 10 + i)) << "its own address, not the MDS's";
    }
  });
  size_t exclusive = 0;
  ask_mds<control::LOCKSres>(control::CTLPROC_LOCKS, control::LOCKSargs{}, [&](const control::LOCKSres& res) {
    EXPECT_FALSE(res.ok.more);
    for (const auto& lock : res.ok.locks) exclusive += lock.mode == control::GRANT_EX;
  });
  EXPECT_EQ(exclusive, 2u) << "one for each data server's stripes";
}

TEST_F(ClusterListing, AnOrderlyEndIsALeaveAndACrashAFence) {
  begin();
  ASSERT_TRUE(cluster().stop("ds1"));
  cluster().kill("ds2");
  cluster().run_for(10s);
  ask_mds<control::NODESres>(control::CTLPROC_NODES, control::NODESargs{}, [](const control::NODESres& res) {
    EXPECT_EQ(res.ok.nodes[1].state, control::NODE_LEFT);
    EXPECT_EQ(res.ok.nodes[2].state, control::NODE_FENCED);
    EXPECT_EQ(res.ok.fenced, 1u);
    EXPECT_EQ(res.ok.waited_out, 0u);
    EXPECT_EQ(res.ok.nodes[1].grants + res.ok.nodes[2].grants, 0u);
  });
}

}  // namespace
}  // namespace pnfs::cluster
