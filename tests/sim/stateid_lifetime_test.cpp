// A stateid that dies at the MDS works at no data server any more when the MDS says so (RFC 8881 13.9.2), and a data
// server that lost its right to the volume is silent before anybody takes its place.
#include "tests/sim/data_server_fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;
using client::Compound;
using client::OpenHow;

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

// ---- a data server that the MDS does not hear any more (13.11, 13.12 in spirit: nobody else may get what it may
// touch)

struct CutOff : DataServerRules {
  // What the data server of the first byte still answers when the MDS has taken its grants away and written there
  // itself.
  std::pair<nfsstat4, nfsstat4> read_and_write_after_it_was_replaced(bool reservations,
                                                                     std::vector<std::string> rules = {}) {
    Options options = sparse();
    options.lun.persistent_reservations = reservations;
    options.rules = std::move(rules);
    begin(std::move(options));
    const stateid4 stateid = zero(file->stateid);
    const auto bytes = pattern(4096, 6);
    const client::Fh fh = handle();  // the layout is recalled when its device loses a server
    const uint32_t here = server_of(0);
    EXPECT_EQ(write(stateid, 0, here), NFS4_OK);
    cluster().partition("mds", fmt::format("ds{}", here));
    EXPECT_EQ(write(stateid, 0, here), NFS4_OK) << "its lease has just been renewed";
    client::FileSystem& other = cluster().add_client("client2");
    EXPECT_TRUE(run(other.mount(cluster().mds_address())));
    const auto opened = run(other.open("file", OpenHow::write()));
    EXPECT_TRUE(opened) << client::to_string(opened.error());
    const auto written = run(other.write(*opened, 0, pattern(4096, 5)));
    EXPECT_TRUE(written) << client::to_string(written.error());
    return {ask(ds(here), fh, OP_READ, READ4args{stateid, 0, 4096}),
            ask(ds(here), fh, OP_WRITE, WRITE4args{stateid, 0, UNSTABLE4, {bytes}})};
  }
};

TEST_F(CutOff, ADataServerIsSilentBeforeAnybodyTakesItsPlace) {
  const auto [read, write] = read_and_write_after_it_was_replaced(true);
  EXPECT_NE(read, NFS4_OK);
  EXPECT_NE(write, NFS4_OK);
}

TEST_F(CutOff, WithoutReservationsItsLeaseAloneSilencesIt) {
  const auto [read, write] = read_and_write_after_it_was_replaced(false);
  EXPECT_NE(read, NFS4_OK);
  EXPECT_NE(write, NFS4_OK);
}

// The same must see a data server that believes in its lease for too long.
TEST_F(CutOff, ALeaseThatIsTooLongShows) {
  const auto [read, write] =
      read_and_write_after_it_was_replaced(false, {"on mds after control.REGISTER do set node_lease_ms=30000"});
  EXPECT_EQ(read, NFS4_OK);
  EXPECT_EQ(write, NFS4_OK);
}

}  // namespace
}  // namespace pnfs::cluster
