#include "common/compound/dispatcher.hpp"

#include "common/compound/allowed_errors.hpp"
#include "tests/unit/compound/fixture.hpp"

namespace pnfs::compound::testing {
namespace {

using nfs::nfsstat4;
using Results = std::vector<std::pair<uint32_t, nfsstat4>>;

class DispatcherTest : public CompoundTest {};

const nfs::READ4args kReadOne{{}, 0, 1};

TEST_F(DispatcherTest, NoOperationsIsFine) {
  Ops ops;
  ops.tag = "hello";
  const Answer answer = send(ops);
  EXPECT_EQ(answer.status, nfs::NFS4_OK);
  EXPECT_EQ(answer.tag, "hello");
}

TEST_F(DispatcherTest, OtherMinorVersionsAreRefusedBeforeAnythingElse) {
  for (uint32_t minor : {0u, 2u, 50u}) {
    Ops ops;
    ops.minorversion = minor;
    ops.tag = "t";
    const Answer answer = send(ops.add(12345));
    EXPECT_EQ(answer.status, nfs::NFS4ERR_MINOR_VERS_MISMATCH);
    EXPECT_TRUE(answer.results.empty());
    EXPECT_EQ(answer.tag, "t");
  }
}

TEST_F(DispatcherTest, TagMustBeUtf8) {
  Ops ops;
  ops.tag = "\xff\xfe";
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_INVAL);
}

TEST_F(DispatcherTest, UnknownOperationsAreIllegal) {
  for (uint32_t op : {0u, 1u, 2u, 59u, 75u, 10044u, 0xffffffffu}) {
    Ops ops;
    const Answer answer = send(ops.add(op));
    EXPECT_EQ(answer.results, (Results{{nfs::OP_ILLEGAL, nfs::NFS4ERR_OP_ILLEGAL}})) << op;
  }
}

TEST_F(DispatcherTest, OperationsOfVersion40AreNotSupported) {
  Ops ops;
  const Answer answer = send(ops.add(nfs::OP_RENEW, uint64_t{1}));
  EXPECT_EQ(answer.results, (Results{{nfs::OP_RENEW, nfs::NFS4ERR_NOTSUPP}}));
}

TEST_F(DispatcherTest, WhatNeedsASessionSaysSo) {
  Ops ops;
  EXPECT_EQ(send(ops.add(nfs::OP_PUTROOTFH)).status, nfs::NFS4ERR_OP_NOT_IN_SESSION);
  Ops two;
  two.add(nfs::OP_DESTROY_CLIENTID, uint64_t{0}).add(nfs::OP_PUTROOTFH);
  EXPECT_EQ(send(two).results, (Results{{nfs::OP_DESTROY_CLIENTID, nfs::NFS4ERR_NOT_ONLY_OP}}));
}

TEST_F(DispatcherTest, SequenceMustBeFirstAndBindAlone) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_SEQUENCE, nfs::SEQUENCE4args{session, 9, 1, 1, false});
  EXPECT_EQ(send(ops).results,
            (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK}, {nfs::OP_SEQUENCE, nfs::NFS4ERR_SEQUENCE_POS}}));
  Ops bind;
  sequenced(bind).add(nfs::OP_BIND_CONN_TO_SESSION, nfs::BIND_CONN_TO_SESSION4args{session, nfs::CDFC4_FORE, false});
  EXPECT_EQ(send(bind).status, nfs::NFS4ERR_NOT_ONLY_OP);
}

TEST_F(DispatcherTest, StopsAtTheFirstErrorAndKeepsWhatWasBefore) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_ACCESS, 1u).add(nfs::OP_PUTROOTFH);
  EXPECT_EQ(send(ops).results,
            (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK}, {nfs::OP_ACCESS, nfs::NFS4ERR_NOFILEHANDLE}}));
  EXPECT_EQ(last_event().status, "NFS4ERR_NOFILEHANDLE");
  EXPECT_FALSE(last_event().reason.empty());
}

TEST_F(DispatcherTest, AMalformedOperationKeepsTheResultsBeforeIt) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_PUTFH).word(500);
  EXPECT_EQ(send(ops).results, (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK},
                                        {nfs::OP_PUTROOTFH, nfs::NFS4_OK},
                                        {nfs::OP_PUTFH, nfs::NFS4ERR_BADXDR}}));
}

TEST_F(DispatcherTest, ATruncatedCompoundEndsWithBadXdr) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH);
  ops.count = 4000000000;
  role->table.session(session);
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_TOO_MANY_OPS);
  Ops again;
  --sequence;
  sequenced(again).add(nfs::OP_PUTROOTFH);
  again.count = 5;
  EXPECT_EQ(send(again).results, (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK},
                                          {nfs::OP_PUTROOTFH, nfs::NFS4_OK},
                                          {nfs::OP_ILLEGAL, nfs::NFS4ERR_BADXDR}}));
}

TEST_F(DispatcherTest, TrailingGarbageFailsTheLastOperationBeforeItRuns) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_ACCESS, 1u).word(0);
  EXPECT_EQ(send(ops).results.back(), (std::pair<uint32_t, nfsstat4>(nfs::OP_ACCESS, nfs::NFS4ERR_BADXDR)));
  EXPECT_EQ(role->accesses, 0);
  Ops none;
  EXPECT_EQ(send(none.word(1)).failed, Errc::protocol) << "not even one operation: GARBAGE_ARGS";
}

TEST_F(DispatcherTest, TrailingGarbageFailsAlsoWhatTakesNoArguments) {
  open_session();
  const uint64_t outside = errors_outside_table();
  for (const nfs::nfs_opnum4 op :
       {nfs::OP_GETFH, nfs::OP_PUTROOTFH, nfs::OP_PUTPUBFH, nfs::OP_SAVEFH, nfs::OP_RESTOREFH}) {
    Ops ops;
    sequenced(ops).add(nfs::OP_PUTROOTFH).add(op).word(0);
    EXPECT_EQ(send(ops).results.back(), (std::pair<uint32_t, nfsstat4>(op, nfs::NFS4ERR_BADXDR)));
  }
  EXPECT_EQ(errors_outside_table(), outside);
}

TEST_F(DispatcherTest, NotBuiltIsNotSupported) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_LOOKUPP);
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_NOTSUPP);
}

TEST_F(DispatcherTest, AnExceptionIsThatRequestsServerFault) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_COMMIT, nfs::COMMIT4args{});
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_SERVERFAULT);
  Ops next;
  EXPECT_EQ(send(sequenced(next)).status, nfs::NFS4_OK) << "the slot is free again";
}

// ---- exactly once ---------------------------------------------------------------------------------------------------

TEST_F(DispatcherTest, ARetryIsAnsweredWithoutRunningAgain) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_ACCESS, 1u);
  const Answer first = send(ops);
  ASSERT_EQ(first.status, nfs::NFS4_OK);
  const Answer second = send(ops);
  EXPECT_EQ(second.bytes, first.bytes);
  EXPECT_EQ(role->accesses, 1);
  EXPECT_EQ(send(ops, nullptr, rpc::Credential::sys(9, 9)).status, nfs::NFS4ERR_SEQ_FALSE_RETRY);
}

TEST_F(DispatcherTest, ARetryOfAnErrorGetsTheErrorAgain) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_ACCESS, 1u);
  const Answer first = send(ops);
  EXPECT_EQ(send(ops).bytes, first.bytes);
}

TEST_F(DispatcherTest, ARetryOfWhatWasNotKeptIsToldSo) {
  open_session();
  Ops ops;
  sequenced(ops, false).add(nfs::OP_PUTROOTFH).add(nfs::OP_ACCESS, 1u);
  ASSERT_EQ(send(ops).status, nfs::NFS4_OK);
  EXPECT_EQ(send(ops).results,
            (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK}, {nfs::OP_PUTROOTFH, nfs::NFS4ERR_RETRY_UNCACHED_REP}}));
  EXPECT_EQ(role->accesses, 1);
  const uint64_t outside = errors_outside_table();
  Ops getfh;
  sequenced(getfh, false).add(nfs::OP_GETFH);
  send(getfh);
  EXPECT_EQ(send(getfh).results.back(),
            (std::pair<uint32_t, nfsstat4>(nfs::OP_GETFH, nfs::NFS4ERR_RETRY_UNCACHED_REP)));
  EXPECT_EQ(errors_outside_table(), outside) << "by a cited exception";
  Ops lone;
  const Answer first = send(sequenced(lone, false));
  EXPECT_EQ(send(lone).bytes, first.bytes) << "SEQUENCE alone needs no cache";
  Ops illegal;
  sequenced(illegal, false).add(59);
  send(illegal);
  EXPECT_EQ(send(illegal).status, nfs::NFS4ERR_OP_ILLEGAL);
}

TEST_F(DispatcherTest, ARetryOfWhatStillRunsIsDelayed) {
  open_session();
  Ops ops;
  sequenced(ops).add(nfs::OP_READ, nfs::READ4args{{}, 1000, 1});
  std::optional<Answer> first;
  asio::co_spawn(simulation.context(), send_task(ops.bytes(), "", 1, ops.count, connection, rpc::Credential::sys(0, 0)),
                 [&](std::exception_ptr, Answer answer) { first.emplace(std::move(answer)); });
  simulation.run_for(500ms);
  EXPECT_EQ(send(ops).results, (Results{{nfs::OP_SEQUENCE, nfs::NFS4ERR_DELAY}}));
  simulation.run_for(1s);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->status, nfs::NFS4_OK);
  EXPECT_EQ(send(ops).bytes, first->bytes);
}

// ---- sizes ----------------------------------------------------------------------------------------------------------

TEST_F(DispatcherTest, AReplyThatIsTooBigEndsWithTheStatusAlone) {
  open_session();
  Ops ops;
  sequenced(ops, false).add(nfs::OP_READ, kReadOne).add(nfs::OP_READ, nfs::READ4args{{}, 0, 8192});
  const Answer answer = send(ops);
  EXPECT_EQ(answer.results, (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK},
                                     {nfs::OP_READ, nfs::NFS4_OK},
                                     {nfs::OP_READ, nfs::NFS4ERR_REP_TOO_BIG}}));
}

TEST_F(DispatcherTest, AReplyThatIsTooBigToCacheIsCachedAsSuch) {
  open_session();
  Ops ops;
  sequenced(ops, true).add(nfs::OP_READ, nfs::READ4args{{}, 0, 5000});
  const Answer answer = send(ops);
  EXPECT_EQ(answer.results.back().second, nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE);
  EXPECT_EQ(send(ops).bytes, answer.bytes);
}

TEST_F(DispatcherTest, WhatCannotBeUndoneIsNotRunWhenItsAnswerWouldNotFit) {
  nfs::channel_attrs4 small = kAttrs;
  small.ca_maxresponsesize = 120;
  open_session(small);
  Ops ops;
  sequenced(ops, false).add(nfs::OP_RENAME, nfs::RENAME4args{});
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_REP_TOO_BIG);
  EXPECT_EQ(role->waited_for, 0u);
}

TEST_F(DispatcherTest, ATagCanMakeSequenceItselfTooBig) {
  open_session();
  Ops ops;
  ops.tag = std::string(4100, 'x');
  EXPECT_EQ(send(sequenced(ops, true)).results, (Results{{nfs::OP_SEQUENCE, nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE}}));
  --sequence;
  Ops uncached;
  uncached.tag = ops.tag;
  EXPECT_EQ(send(sequenced(uncached, false)).status, nfs::NFS4_OK);
}

TEST_F(DispatcherTest, ARequestOverTheSessionsSizeIsRefused) {
  nfs::channel_attrs4 small = kAttrs;
  small.ca_maxrequestsize = 200;
  open_session(small);
  Ops ops;
  const std::vector<std::byte> fh(120);
  sequenced(ops).add(nfs::OP_PUTFH, nfs::PUTFH4args{{fh}});
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_REQ_TOO_BIG);
}

// ---- durability -----------------------------------------------------------------------------------------------------

TEST_F(DispatcherTest, TheReplyWaitsForWhatItClaims) {
  open_session();
  Ops ops;
  EXPECT_EQ(send(sequenced(ops).add(nfs::OP_RENAME, nfs::RENAME4args{})).status, nfs::NFS4_OK);
  EXPECT_EQ(role->waited_for, 7u);
}

TEST_F(DispatcherTest, AClaimThatFailedIsWithdrawn) {
  open_session();
  role->durable = nfs::fail(nfs::NFS4ERR_IO, "15.1.4.7", "the volume is gone");
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_RENAME, nfs::RENAME4args{});
  const Answer answer = send(ops);
  // PUTROOTFH cannot say NFS4ERR_IO (15.2).
  EXPECT_EQ(answer.results, (Results{{nfs::OP_SEQUENCE, nfs::NFS4_OK}, {nfs::OP_PUTROOTFH, nfs::NFS4ERR_SERVERFAULT}}));
  EXPECT_EQ(last_event().reason, "NFS4ERR_IO: the volume is gone");
}

// ---- faults ---------------------------------------------------------------------------------------------------------

TEST_F(DispatcherTest, AFaultAnswersInsteadOfTheOperation) {
  open_session();
  role->injector.listen(fault::Stage::before);
  std::vector<std::string> seen;
  role->injector.script = [&](fault::Context& at) {
    seen.assign(at.compound.begin(), at.compound.end());
    fault::Verdict verdict;
    if (at.op == "ACCESS") {
      verdict.status = nfs::NFS4ERR_ACCESS;
      verdict.rule = "rule 1";
    }
    return verdict;
  };
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_ACCESS, 1u);
  EXPECT_EQ(send(ops).status, nfs::NFS4ERR_ACCESS);
  EXPECT_EQ(role->accesses, 0);
  EXPECT_EQ(last_event().fault, "rule 1");
  EXPECT_EQ(seen, (std::vector<std::string>{"SEQUENCE", "PUTROOTFH", "ACCESS"}));
}

TEST_F(DispatcherTest, ADroppedRequestMayComeAgain) {
  open_session();
  role->injector.listen(fault::Stage::before);
  bool drop = true;
  role->injector.script = [&](fault::Context& at) {
    fault::Verdict verdict;
    if (drop && at.op == "ACCESS") {
      verdict.drop_request = true;
      verdict.rule = "rule 1";
    }
    return verdict;
  };
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_ACCESS, 1u);
  EXPECT_EQ(send(ops).failed, Errc::timeout);
  drop = false;
  EXPECT_EQ(send(ops).status, nfs::NFS4_OK);
  EXPECT_EQ(role->accesses, 1);
}

TEST_F(DispatcherTest, ADroppedReplyIsInTheCache) {
  open_session();
  role->injector.listen(fault::Stage::after);
  role->injector.script = [&](fault::Context& at) {
    fault::Verdict verdict;
    if (at.op == "ACCESS") {
      verdict.drop_reply = true;
      verdict.rule = "rule 1";
    }
    return verdict;
  };
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH).add(nfs::OP_ACCESS, 1u);
  EXPECT_EQ(send(ops).failed, Errc::timeout);
  EXPECT_EQ(send(ops).status, nfs::NFS4_OK);
  EXPECT_EQ(role->accesses, 1);
}

TEST_F(DispatcherTest, TheTraceNumbersRequestsAndNamesTheSession) {
  open_session();
  role->sink.clear();
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTROOTFH);
  ASSERT_EQ(send(ops).status, nfs::NFS4_OK);
  const auto& events = role->sink.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].op, "SEQUENCE");
  EXPECT_EQ(events[1].op, "PUTROOTFH");
  EXPECT_EQ(events[0].call, events[1].call);
  EXPECT_EQ(events[1].index, 1u);
  EXPECT_EQ(events[1].client, "client");
  EXPECT_EQ(events[1].session, session::to_string(session));
  EXPECT_EQ(events[1].seq, 1u);
}

}  // namespace
}  // namespace pnfs::compound::testing
