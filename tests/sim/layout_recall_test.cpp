// CB_LAYOUTRECALL of every kind, what the client may ask meanwhile, and what it loses (RFC 8881 12.5.5, 12.5.6, 20.3).
#include "mds/layout/pnfs_server.hpp"
#include "tests/sim/layout_fixture.hpp"

namespace pnfs::cluster {
namespace {

struct LayoutRecall : LayoutTest {
  mds::layout::PnfsServer& pnfs() { return mds::layout::pnfs_of(cluster().mds()); }
  clientid4 id() { return fs->session().clientid(); }
  client::FilePtr held(const std::string& path = "file") {
    const auto file = create(path);
    const auto got = run(fs->layoutget(file, LAYOUTIOMODE4_RW));
    EXPECT_TRUE(got) << client::to_string(got.error());
    return file;
  }
  // One SEQUENCE, so that its flags are known.
  uint32_t flags() {
    EXPECT_TRUE(run(fs->run([] { return client::Compound::in_session(); })));
    return fs->session().status_flags();
  }
};

TEST_F(LayoutRecall, OfAFileIsReturnedAfterWhatWasWritten) {
  start(quick());
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  const uint32_t seqid = file->layout->stateid.seqid;
  pnfs().recall(0, 0);
  cluster().run_for(2s);
  ASSERT_EQ(fs->recalls().size(), 1u);
  const auto& seen = fs->recalls().front();
  EXPECT_EQ(seen.type, LAYOUT4_RET_REC_FILE);
  EXPECT_EQ(seen.stateid.seqid, seqid + 1) << "12.5.3: it grows with each recall";
  EXPECT_EQ(seen.length, NFS4_UINT64_MAX);
  EXPECT_FALSE(seen.changed);
  EXPECT_FALSE(file->layout);
  EXPECT_EQ(count("mds", "LAYOUTRETURN"), 1u);
  EXPECT_EQ(run(fs->getattr("file"))->size, data.size()) << "committed before it was returned";
  EXPECT_TRUE(read(file, 1 << 20) == data);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
}

TEST_F(LayoutRecall, ReferringCallsAreThoseWhoseRepliesMayBeOnTheirWay) {
  auto options = quick();
  options.link.latency = 50ms;
  start(std::move(options));
  const auto file = create("file");
  // The recall leaves right behind the reply to LAYOUTGET: the client has not acknowledged it by a later request.
  auto got = get(file, get_args(file));
  ASSERT_EQ(got.status(), NFS4_OK);
  pnfs().recall(0, 0);
  cluster().run_for(1s);
  const auto& seen = fs->callbacks().seen();
  const auto recall = std::find_if(seen.begin(), seen.end(), [](const auto& one) { return one.op == OP_CB_LAYOUTRECALL; });
  ASSERT_NE(recall, seen.end());
  EXPECT_EQ(recall->referring, 1u) << "2.10.6.3";
}

TEST_F(LayoutRecall, AskingMeanwhileIsRecallconflictAndThenReturnconflict) {
  start(quick());
  const auto file = held();
  fs->options().layout_recall_answer = NFS4ERR_DELAY;
  pnfs().recall(0, 0);
  cluster().run_for(1s);
  EXPECT_GE(fs->recalls().size(), 2u) << "asked again after DELAY";
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4ERR_RECALLCONFLICT) << "case 1: sent before the recall was seen";
  auto args = get_args(file);
  args.loga_stateid = fs->recalls().back().stateid;
  EXPECT_EQ(get(file, args).status(), NFS4ERR_RECALLCONFLICT) << "case 2: the callback is not answered";
  fs->options().layout_recall_answer = NFS4_OK;
  cluster().run_for(1s);
  EXPECT_EQ(get(file, args).status(), NFS4ERR_RETURNCONFLICT) << "case 3: answered, not returned";
  args.loga_stateid = file->stateid;
  EXPECT_EQ(get(file, args).status(), NFS4ERR_RECALLCONFLICT) << "under the open's stateid";
  file->layout->stateid = fs->recalls().back().stateid;
  EXPECT_EQ(give_back(file).status(), NFS4_OK);
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4_OK);
}

TEST_F(LayoutRecall, WhoHoldsNothingOfItIsBelieved) {
  start(quick());
  const auto file = held();
  const auto segment = file->layout->segments.front();
  EXPECT_EQ(write_at(file, 0, segment), NFS4_OK);
  fs->options().layout_recall_answer = NFS4ERR_NOMATCHING_LAYOUT;
  pnfs().recall(0, 0);
  cluster().run_for(1s);
  EXPECT_EQ(fs->recalls().size(), 1u);
  EXPECT_EQ(write_at(file, 0, segment), NFS4ERR_PNFS_NO_LAYOUT);
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4ERR_BAD_STATEID);
  file->layout.reset();
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4_OK);
}

TEST_F(LayoutRecall, OfAllAndOfTheFileSystemAreReturnedInOne) {
  start(quick());
  for (const auto scope : {mds::layout::BulkScope::fsid, mds::layout::BulkScope::all}) {
    const auto one = run(fs->open("one", OpenHow::create_new())), two = run(fs->open("two", OpenHow::create_new()));
    ASSERT_DONE(run(fs->write_striped(*one, 0, pattern(100'000))));
    ASSERT_DONE(run(fs->write_striped(*two, 0, pattern(200'000))));
    const size_t returns = count("mds", "LAYOUTRETURN");
    const size_t before = fs->recalls().size();
    pnfs().recall_bulk(id(), scope);
    cluster().run_for(2s);
    ASSERT_EQ(fs->recalls().size(), before + 1);
    EXPECT_EQ(fs->recalls().back().type,
              scope == mds::layout::BulkScope::all ? LAYOUT4_RET_REC_ALL : LAYOUT4_RET_REC_FSID);
    EXPECT_EQ(count("mds", "LAYOUTRETURN"), returns + 1);
    EXPECT_FALSE((*one)->layout);
    EXPECT_FALSE(pnfs().has_state(id()));
    EXPECT_EQ(run(fs->getattr("two"))->size, 200'000u);
  }
}

TEST_F(LayoutRecall, DuringABulkRecallOnlyCommitAndItsOwnReturnAreTaken) {
  start(quick());
  const auto file = held();
  fs->options().layout_recall_answer = NFS4_OK;
  pnfs().recall_bulk(id(), mds::layout::BulkScope::fsid);
  cluster().run_for(1s);
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4ERR_RECALLCONFLICT);
  EXPECT_EQ(give_back(file).status(), NFS4ERR_RECALLCONFLICT);
  EXPECT_EQ(give_back(file, LAYOUTRETURN4_ALL).status(), NFS4ERR_RECALLCONFLICT);
  LAYOUTCOMMIT4args commit;
  commit.loca_length = 10;
  commit.loca_stateid = file->layout->stateid;
  EXPECT_EQ(ask<LAYOUTCOMMIT4res>(*fs, file->fh, OP_LAYOUTCOMMIT, commit).status(), NFS4_OK);
  EXPECT_EQ(give_back(file, LAYOUTRETURN4_FSID).status(), NFS4_OK);
  file->layout.reset();
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4_OK);
}

TEST_F(LayoutRecall, AfterALeaseTheLayoutIsRevokedAndTheFlagSaysSo) {
  start(quick("revoked-until-freed=yes"), {.renew_every = 2s});
  const auto file = held();
  const auto segment = file->layout->segments.front();
  const auto stateid = file->layout->stateid;
  EXPECT_EQ(write_at(file, 0, segment), NFS4_OK);
  EXPECT_EQ(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u);
  fs->options().layout_recall_answer = NFS4_OK;
  pnfs().recall(0, 0);
  cluster().run_for(8s);
  EXPECT_EQ(write_at(file, 0, segment), NFS4_OK) << "a client has a lease's time";
  cluster().run_for(6s);
  EXPECT_NE(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u);
  EXPECT_EQ(write_at(file, 0, segment), NFS4ERR_PNFS_NO_LAYOUT);
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4ERR_ADMIN_REVOKED);
  EXPECT_EQ(give_back(file).status(), NFS4ERR_ADMIN_REVOKED);
  cluster().run_for(60s);
  EXPECT_NE(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u) << "until it is freed";
  FREE_STATEID4args free;
  free.fsa_stateid = stateid;
  EXPECT_EQ(ask<FREE_STATEID4res>(*fs, file->fh, OP_FREE_STATEID, free).status(), NFS4_OK);
  EXPECT_EQ(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u);
  file->layout.reset();
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4_OK);
}

TEST_F(LayoutRecall, ARevokedLayoutOfAClientThatFreesNothingIsForgotten) {
  start(quick(), {.renew_every = 2s});
  const auto file = held();
  fs->options().layout_recall_answer = NFS4_OK;
  pnfs().recall(0, 0);
  cluster().run_for(14s);
  EXPECT_NE(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u);
  cluster().run_for(14s);
  EXPECT_EQ(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u) << "Linux frees no layout stateid";
}

TEST_F(LayoutRecall, ABulkRecallThatNobodyAnswersEndsToo) {
  start(quick(), {.renew_every = 2s});
  const auto file = held();
  fs->options().layout_recall_answer = NFS4_OK;
  pnfs().recall_bulk(id(), mds::layout::BulkScope::all);
  cluster().run_for(14s);
  EXPECT_NE(flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED, 0u);
  file->layout.reset();
  fs->options().layout_recall_answer.reset();
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4_OK);
}

TEST_F(LayoutRecall, ARemovedFilesLayoutIsCalledBackFromOthers) {
  start(quick());
  const auto file = held();
  const auto segment = file->layout->segments.front();
  EXPECT_EQ(write_at(file, 0, segment), NFS4_OK);
  EXPECT_EQ(ask<CLOSE4res>(*fs, file->fh, OP_CLOSE, CLOSE4args{0, file->stateid}).status(), NFS4_OK);
  auto& other = cluster().add_client("client2");
  ASSERT_DONE(run(other.mount(cluster().mds_address())));
  ASSERT_DONE(run(other.remove("file")));
  cluster().run_for(2s);
  ASSERT_EQ(fs->recalls().size(), 1u) << "12.5.5: REMOVE SHOULD recall";
  EXPECT_FALSE(pnfs().has_state(id()));
  EXPECT_EQ(write_at(file, 0, segment), NFS4ERR_STALE);
}

}  // namespace
}  // namespace pnfs::cluster
