#include "common/compound/ops/shared_ops.hpp"
#include "tests/unit/compound/fixture.hpp"

namespace pnfs::compound::testing {
namespace {

class OpsTest : public CompoundTest {
 protected:
  template <class Args>
  nfs::nfsstat4 alone(uint32_t op, const Args& args, Connection over = nullptr) {
    Ops ops;
    return send(ops.add(op, args), over).status;
  }
  template <class Args>
  nfs::nfsstat4 in_session(uint32_t op, const Args& args) {
    Ops ops;
    return send(sequenced(ops).add(op, args)).status;
  }
};

TEST_F(OpsTest, ExchangeIdSaysWhoTheServerIs) {
  auto ok = exchange("c").result<nfs::EXCHANGE_ID4res>(0).eir_resok4;
  EXPECT_EQ(ok.eir_flags, nfs::EXCHGID4_FLAG_USE_PNFS_MDS);
  EXPECT_EQ(ok.eir_sequenceid, 1u);
  EXPECT_EQ(ok.eir_server_owner.so_major_id.size(), 5u);
  EXPECT_EQ(ok.eir_server_scope.size(), 5u);
  EXPECT_EQ(ok.eir_server_impl_id.size(), 1u);
  open_session(kAttrs, 0, "c");
  ok = exchange("c").result<nfs::EXCHANGE_ID4res>(0).eir_resok4;
  EXPECT_EQ(ok.eir_flags, nfs::EXCHGID4_FLAG_USE_PNFS_MDS | nfs::EXCHGID4_FLAG_CONFIRMED_R);
}

TEST_F(OpsTest, ExchangeIdRefusesUnknownFlagsAndWhatNeedsGss) {
  EXPECT_EQ(exchange("c", 4).status, nfs::NFS4ERR_INVAL);
  EXPECT_EQ(exchange("c", nfs::EXCHGID4_FLAG_CONFIRMED_R).status, nfs::NFS4ERR_INVAL);
  EXPECT_EQ(exchange("c", nfs::EXCHGID4_FLAG_UPD_CONFIRMED_REC_A).status, nfs::NFS4ERR_NOENT);
  nfs::EXCHANGE_ID4args args;
  args.eia_state_protect.spa_how = nfs::SP4_MACH_CRED;
  EXPECT_EQ(alone(nfs::OP_EXCHANGE_ID, args), nfs::NFS4ERR_INVAL);
  args.eia_state_protect.spa_how = nfs::SP4_SSV;
  EXPECT_EQ(alone(nfs::OP_EXCHANGE_ID, args), nfs::NFS4ERR_HASH_ALG_UNSUPP);
  nfs::nfs_impl_id4 twice[2];
  args.eia_state_protect.spa_how = nfs::SP4_NONE;
  args.eia_client_impl_id.items = twice;
  EXPECT_EQ(alone(nfs::OP_EXCHANGE_ID, args), nfs::NFS4ERR_BADXDR);
}

TEST_F(OpsTest, CreateSessionRefusesUnknownFlags) {
  exchange();
  nfs::CREATE_SESSION4args args;
  args.csa_clientid = clientid;
  args.csa_sequence = 1;
  args.csa_flags = 0xf;
  EXPECT_EQ(alone(nfs::OP_CREATE_SESSION, args), nfs::NFS4ERR_INVAL);
}

TEST_F(OpsTest, CreateSessionNeedsAUsableCallbackCredentialIfAny) {
  exchange();
  nfs::CREATE_SESSION4args args;
  args.csa_clientid = clientid;
  args.csa_sequence = 1;
  args.csa_fore_chan_attrs = args.csa_back_chan_attrs = kAttrs;
  nfs::callback_sec_parms4 security[2];
  security[0].cb_secflavor = nfs::kFlavorGss;
  args.csa_sec_parms.items = std::span(security, 1);
  EXPECT_EQ(alone(nfs::OP_CREATE_SESSION, args), nfs::NFS4ERR_NOENT);
  security[1].cb_secflavor = nfs::kFlavorNone;
  args.csa_sec_parms.items = security;
  EXPECT_EQ(alone(nfs::OP_CREATE_SESSION, args), nfs::NFS4_OK);
}

TEST_F(OpsTest, BindNamesTheDirectionAndTheClosedConnectionIsForgotten) {
  open_session();
  Connection second = connect();
  Ops ops;
  ops.add(nfs::OP_BIND_CONN_TO_SESSION, nfs::BIND_CONN_TO_SESSION4args{session, nfs::CDFC4_BACK_OR_BOTH, true});
  Answer answer = send(ops, second);
  ASSERT_EQ(answer.status, nfs::NFS4_OK);
  const auto ok = answer.result<nfs::BIND_CONN_TO_SESSION4res>(0).bctsr_resok4;
  EXPECT_EQ(ok.bctsr_dir, nfs::CDFS4_BOTH);
  EXPECT_FALSE(ok.bctsr_use_conn_in_rdma_mode);
  EXPECT_EQ(role->table.session(session)->connection_count(), 2u);
  second->close("test");
  simulation.run_for(1s);
  EXPECT_EQ(role->table.session(session)->connection_count(), 1u);
  Ops next;
  Answer flags = send(sequenced(next));
  EXPECT_EQ(flags.result<nfs::SEQUENCE4res>(0).sr_resok4.sr_status_flags,
            nfs::SEQ4_STATUS_CB_PATH_DOWN | nfs::SEQ4_STATUS_CB_PATH_DOWN_SESSION);
}

TEST_F(OpsTest, DestroySessionOfItsOwnCompoundMustBeLast) {
  open_session();
  Ops early;
  sequenced(early).add(nfs::OP_DESTROY_SESSION, session).add(nfs::OP_PUTROOTFH);
  EXPECT_EQ(send(early).status, nfs::NFS4ERR_NOT_ONLY_OP);
  EXPECT_EQ(in_session(nfs::OP_DESTROY_SESSION, session), nfs::NFS4_OK);
  Ops after;
  EXPECT_EQ(send(sequenced(after)).status, nfs::NFS4ERR_BADSESSION);
}

TEST_F(OpsTest, DestroySessionNeedsABoundConnection) {
  open_session();
  EXPECT_EQ(alone(nfs::OP_DESTROY_SESSION, session, connect()), nfs::NFS4ERR_CONN_NOT_BOUND_TO_SESSION);
  EXPECT_EQ(alone(nfs::OP_DESTROY_SESSION, session), nfs::NFS4_OK);
}

TEST_F(OpsTest, DestroyClientidNotThroughItsOwnSession) {
  open_session();
  EXPECT_EQ(in_session(nfs::OP_DESTROY_CLIENTID, clientid), nfs::NFS4ERR_CLIENTID_BUSY);
  EXPECT_EQ(in_session(nfs::OP_DESTROY_CLIENTID, uint64_t{0}), nfs::NFS4ERR_STALE_CLIENTID);
  const session::ClientId own = clientid;
  exchange("other");
  EXPECT_EQ(in_session(nfs::OP_DESTROY_CLIENTID, clientid), nfs::NFS4_OK);
  EXPECT_EQ(alone(nfs::OP_DESTROY_SESSION, session), nfs::NFS4_OK);
  EXPECT_EQ(alone(nfs::OP_DESTROY_CLIENTID, own), nfs::NFS4_OK);
}

TEST_F(OpsTest, ReclaimCompleteOnceAndOneFileSystemNeedsAHandle) {
  open_session();
  EXPECT_EQ(in_session(nfs::OP_RECLAIM_COMPLETE, true), nfs::NFS4ERR_NOFILEHANDLE);
  EXPECT_EQ(in_session(nfs::OP_RECLAIM_COMPLETE, false), nfs::NFS4_OK);
  EXPECT_EQ(in_session(nfs::OP_RECLAIM_COMPLETE, false), nfs::NFS4ERR_COMPLETE_ALREADY);
}

TEST_F(OpsTest, SetSsvAndGssHandlesAreRefused) {
  open_session();
  EXPECT_EQ(in_session(nfs::OP_SET_SSV, nfs::SET_SSV4args{}), nfs::NFS4ERR_INVAL);
  nfs::callback_sec_parms4 security[1];
  security[0].cb_secflavor = nfs::kFlavorGss;
  nfs::BACKCHANNEL_CTL4args args;
  args.bca_cb_program = 5;
  args.bca_sec_parms.items = security;
  EXPECT_EQ(in_session(nfs::OP_BACKCHANNEL_CTL, args), nfs::NFS4ERR_NOENT);
  security[0].cb_secflavor = nfs::kFlavorNone;
  EXPECT_EQ(in_session(nfs::OP_BACKCHANNEL_CTL, args), nfs::NFS4_OK);
  EXPECT_EQ(role->table.session(session)->back_program(), 5u);
}

TEST_F(OpsTest, FilehandlesAreKeptAndBroughtBack) {
  open_session();
  Ops none;
  EXPECT_EQ(send(sequenced(none).add(nfs::OP_GETFH)).status, nfs::NFS4ERR_NOFILEHANDLE);
  Ops unsaved;
  EXPECT_EQ(send(sequenced(unsaved).add(nfs::OP_PUTROOTFH).add(nfs::OP_RESTOREFH)).status, nfs::NFS4ERR_NOFILEHANDLE);
  EXPECT_EQ(in_session(nfs::OP_PUTFH, nfs::PUTFH4args{}), nfs::NFS4ERR_BADHANDLE);
  const std::array fh{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  Ops ops;
  sequenced(ops).add(nfs::OP_PUTFH, nfs::PUTFH4args{{fh}}).add(nfs::OP_SAVEFH).add(nfs::OP_PUTPUBFH).add(nfs::OP_GETFH);
  ops.add(nfs::OP_RESTOREFH).add(nfs::OP_GETFH);
  Answer answer = send(ops);
  ASSERT_EQ(answer.status, nfs::NFS4_OK);
  EXPECT_EQ(answer.result<nfs::GETFH4res>(4).resok4.object.bytes[0], std::byte{'r'});
  EXPECT_EQ(answer.result<nfs::GETFH4res>(6).resok4.object.bytes[3], std::byte{4});
}

TEST(OpTable, KnowsWhatIsMissing) {
  OpTable<TestContext> table;
  add_shared_ops(table);
  EXPECT_THAT(table.forgotten(), ::testing::Contains(nfs::OP_LOCK));
  EXPECT_THAT(table.forgotten(), ::testing::Not(::testing::Contains(nfs::OP_SEQUENCE)));
  EXPECT_THAT(table.forgotten(), ::testing::Not(::testing::Contains(nfs::OP_RENEW)));
  table.not_supported({nfs::OP_LOCK, nfs::OP_OPENATTR});
  EXPECT_THAT(table.forgotten(), ::testing::Not(::testing::Contains(nfs::OP_LOCK)));
  EXPECT_THAT(table.forgotten(), ::testing::Not(::testing::Contains(nfs::OP_OPENATTR)));
}

}  // namespace
}  // namespace pnfs::compound::testing
