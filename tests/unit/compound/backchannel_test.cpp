#include "common/compound/backchannel.hpp"

#include "tests/unit/compound/fixture.hpp"

namespace pnfs::compound::testing {
namespace {

// The client's side of the back channel: notes what came and answers as told.
struct CallbackService final : rpc::Service {
  explicit CallbackService(io::TimerQueue& timers) : timers(timers) {}
  uint32_t program() const override { return 0x40000000; }
  uint32_t lowest_version() const override { return 1; }
  uint32_t highest_version() const override { return 1; }
  io::Task<void> handle(rpc::Request& request) override {
    nfs::CbCompoundArgsHead head;
    uint32_t op = 0;
    nfs::CB_SEQUENCE4args args;
    EXPECT_TRUE(xdr::decode(request.args(), head));
    EXPECT_EQ(head.minorversion, 1u);
    EXPECT_TRUE(request.args().u32(op));
    EXPECT_EQ(op, uint32_t{nfs::OP_CB_SEQUENCE});
    EXPECT_TRUE(xdr::decode(request.args(), args));
    sequences.emplace_back(args.csa_slotid, args.csa_sequenceid);
    referring += args.csa_referring_call_lists.size();
    co_await timers.sleep(delay);
    if (silent) {
      request.drop();
      co_return;
    }
    nfs::nfsstat4 status = nfs::NFS4_OK;
    if (!answers.empty()) {
      status = answers.front();
      answers.erase(answers.begin());
    }
    xdr::Encoder& out = request.begin_reply();
    xdr::encode(out, nfs::CompoundResHead{
                         status == nfs::NFS4_OK ? recall_status : status, {}, status == nfs::NFS4_OK ? 2u : 1u});
    out.u32(nfs::OP_CB_SEQUENCE);
    xdr::encode(out, nfs::CB_SEQUENCE4res{status, {args.csa_sessionid, args.csa_sequenceid, args.csa_slotid, 3, 3}});
    if (status != nfs::NFS4_OK) co_return;
    out.u32(nfs::OP_CB_RECALL);
    out.u32(recall_status);
  }
  io::TimerQueue& timers;
  std::vector<std::pair<uint32_t, uint32_t>> sequences;
  std::vector<nfs::nfsstat4> answers;  // of CB_SEQUENCE, then NFS4_OK
  nfs::nfsstat4 recall_status = nfs::NFS4_OK;
  Duration delay{};
  bool silent = false;
  size_t referring = 0;
};

class BackchannelTest : public CompoundTest {
 protected:
  void SetUp() override {
    CompoundTest::SetUp();
    connection->close("replaced");
    simulation.run(client->stop());
    client = std::make_unique<rpc::Client>(client_net, simulation.timers());
    client->add_service(callbacks);
    connection = connect();
    role->backchannel =
        std::make_unique<Backchannel>(*role, [this](session::ConnectionId id) { return server->connection(id); });
    open_session(kAttrs, nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN);
  }
  io::Task<Result<CallbackReply>> recall_task(CallbackOptions options = {}) {
    CallbackOps ops;
    ops.add(nfs::OP_CB_RECALL, nfs::CB_RECALL4args{});
    return role->backchannel->call(clientid, std::move(ops), std::move(options));
  }
  Result<CallbackReply> recall(CallbackOptions options = {}) { return simulation.run(recall_task(std::move(options))); }
  uint32_t flags() {
    Ops ops;
    Answer answer = send(sequenced(ops));
    return answer.result<nfs::SEQUENCE4res>(0).sr_resok4.sr_status_flags;
  }
  CallbackService callbacks{simulation.timers()};
};

TEST_F(BackchannelTest, ACallbackTakesASlotAndCountsItsSequence) {
  for (int i = 0; i < 3; ++i) {
    auto reply = recall();
    ASSERT_TRUE(reply) << reply.error().reason;
    EXPECT_EQ(reply->status, nfs::NFS4_OK);
    nfs::CB_RECALL4res result;
    EXPECT_TRUE(reply->next(result));
  }
  EXPECT_EQ(callbacks.sequences, (std::vector<std::pair<uint32_t, uint32_t>>{{0, 1}, {0, 2}, {0, 3}}));
  EXPECT_EQ(last_event().op, "CB_RECALL");
  EXPECT_EQ(last_event().status, "NFS4_OK");
}

TEST_F(BackchannelTest, ItsEventSaysWhenItBegan) {
  callbacks.delay = 1s;
  const WallTime before = simulation.clock().wall();
  ASSERT_TRUE(recall());
  EXPECT_EQ(last_event().ts, before);
  EXPECT_GE(last_event().us.value_or(0), 1'000'000u);
}

TEST_F(BackchannelTest, AnErrorOfTheClientIsAReply) {
  callbacks.recall_status = nfs::NFS4ERR_BAD_STATEID;
  auto reply = recall();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, nfs::NFS4ERR_BAD_STATEID);
}

TEST_F(BackchannelTest, ManyAtOnceUseTheSlotsAndWaitForThem) {
  callbacks.delay = 1s;
  int done = 0;
  for (int i = 0; i < 6; ++i) {
    asio::co_spawn(simulation.context(), recall_task(), [&](std::exception_ptr, Result<CallbackReply> reply) {
      EXPECT_TRUE(reply);
      ++done;
    });
  }
  simulation.run_for(1500ms);
  EXPECT_EQ(done, 4) << "ca_maxrequests of the back channel";
  simulation.run_for(2s);
  EXPECT_EQ(done, 6);
}

TEST_F(BackchannelTest, DelayIsTriedAgainWithTheSameSequence) {
  callbacks.answers = {nfs::NFS4ERR_DELAY, nfs::NFS4ERR_DELAY};
  ASSERT_TRUE(recall());
  EXPECT_EQ(callbacks.sequences, (std::vector<std::pair<uint32_t, uint32_t>>{{0, 1}, {0, 1}, {0, 1}}));
}

TEST_F(BackchannelTest, SilenceRaisesTheFlagsAndANewBindingClearsThem) {
  callbacks.silent = true;
  const auto reply = recall();
  ASSERT_FALSE(reply);
  EXPECT_EQ(flags(), nfs::SEQ4_STATUS_CB_PATH_DOWN | nfs::SEQ4_STATUS_CB_PATH_DOWN_SESSION);
  EXPECT_EQ(recall().error().code, Errc::closed);

  callbacks.silent = false;
  Ops bind;
  bind.add(nfs::OP_BIND_CONN_TO_SESSION, nfs::BIND_CONN_TO_SESSION4args{session, nfs::CDFC4_FORE_OR_BOTH, false});
  ASSERT_EQ(send(bind).status, nfs::NFS4_OK);
  EXPECT_EQ(flags(), 0u);
  callbacks.sequences.clear();
  ASSERT_TRUE(recall());
  EXPECT_EQ(callbacks.sequences, (std::vector<std::pair<uint32_t, uint32_t>>{{1, 1}}))
      << "a slot that is certain first";
}

TEST_F(BackchannelTest, AfterALostReplyTheOtherCountIsTried) {
  callbacks.silent = true;
  CallbackOptions once;
  once.attempts = 1;
  for (int slot = 0; slot < 4; ++slot) {
    ASSERT_FALSE(recall(once));
    Ops bind;
    bind.add(nfs::OP_BIND_CONN_TO_SESSION, nfs::BIND_CONN_TO_SESSION4args{session, nfs::CDFC4_FORE_OR_BOTH, false});
    ASSERT_EQ(send(bind).status, nfs::NFS4_OK);
  }
  callbacks.silent = false;
  callbacks.sequences.clear();
  callbacks.answers = {nfs::NFS4ERR_SEQ_MISORDERED};
  ASSERT_TRUE(recall(once));
  EXPECT_EQ(callbacks.sequences, (std::vector<std::pair<uint32_t, uint32_t>>{{0, 2}, {0, 1}}));
  EXPECT_EQ(flags(), 0u);
}

TEST_F(BackchannelTest, AClientThatLostTheSlotIsTold) {
  callbacks.answers = {nfs::NFS4ERR_BADSLOT, nfs::NFS4ERR_BADSLOT};
  EXPECT_FALSE(recall());
  EXPECT_TRUE((flags() & nfs::SEQ4_STATUS_BACKCHANNEL_FAULT) != 0);
}

TEST_F(BackchannelTest, ReferringCallsAreThoseTheClientMayNotHaveSeen) {
  Ops ops;
  ASSERT_EQ(send(sequenced(ops)).status, nfs::NFS4_OK);
  CallbackOptions options;
  options.referring = {{session, 0, sequence}, {session, 0, sequence - 1}};
  ASSERT_TRUE(recall(options));
  EXPECT_EQ(callbacks.referring, 1u);
}

TEST_F(BackchannelTest, WithoutClientOrChannelThereIsAnError) {
  const auto id = clientid;
  clientid = 12345;
  EXPECT_EQ(recall().error().code, Errc::not_found);
  clientid = id;
  connection->close("gone");
  simulation.run_for(1s);
  EXPECT_EQ(recall().error().code, Errc::closed);
}

}  // namespace
}  // namespace pnfs::compound::testing
