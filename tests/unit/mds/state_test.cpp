// Opens, locks, delegations and leases between clients of one metadata server.
#include <algorithm>

#include "tests/unit/mds/mds_fixture.hpp"

namespace pnfs::mds {
namespace {

using namespace nfs;
using client::Compound;

struct MdsStateTest : MdsTest {
  // One more client on a node of its own, so that it can be cut off.
  client::FileSystem& mount_apart(std::string name, std::string address) {
    io::Network& side = network.add_node(name, {io::asio::ip::make_address(address)});
    client::Options how;
    how.owner = name;
    how.renew_every = std::chrono::seconds(3);
    clients.push_back(std::make_unique<client::FileSystem>(side, sim.timers(), sim.random(), how));
    EXPECT_DONE(sim.run(clients.back()->mount(at)));
    return *clients.back();
  }

  struct LockResult {
    nfsstat4 status = NFS4_OK;
    stateid4 stateid;
    LOCK4denied denied;
  };
  // With a new lock-owner; READ_LT or WRITE_LT.
  LockResult lock(client::FileSystem& fs, client::FilePtr file, nfs_lock_type4 type, uint64_t offset, uint64_t length,
                  std::string_view owner = "locker") {
    LOCK4args args;
    args.locktype = type;
    args.offset = offset;
    args.length = length;
    args.locker.new_lock_owner = true;
    args.locker.open_owner.open_stateid = file->stateid;
    args.locker.open_owner.lock_owner.owner.bytes = bytes_of(owner);
    auto reply = sim.run(fs.run([&] {
      auto compound = Compound::in_session();
      compound->putfh(file->fh).add(OP_LOCK, args);
      return compound;
    }));
    LockResult result;
    if (!reply) {
      result.status = reply.error().status;
      return result;
    }
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<LOCK4res>(OP_LOCK);
    result.status = res.status;
    result.stateid = res.resok4.lock_stateid;
    if (res.status == NFS4ERR_DENIED) result.denied = {res.denied.offset, res.denied.length, res.denied.locktype, {}};
    return result;
  }
  nfsstat4 unlock(client::FileSystem& fs, client::FilePtr file, stateid4 stateid) {
    auto reply = sim.run(fs.run([&] {
      auto compound = Compound::in_session();
      compound->putfh(file->fh).add(OP_LOCKU, LOCKU4args{WRITE_LT, 0, stateid, 0, NFS4_UINT64_MAX});
      return compound;
    }));
    if (!reply) return reply.error().status;
    (*reply)->ok(OP_PUTFH);
    return (*reply)->get<LOCKU4res>(OP_LOCKU).status;
  }
  client::FilePtr open(client::FileSystem& fs, std::string path, client::OpenHow how) {
    auto file = sim.run(fs.open(std::move(path), how));
    EXPECT_TRUE(file.has_value()) << client::to_string(file.error());
    return file ? *file : nullptr;
  }
};

TEST_F(MdsStateTest, ShareDenialsHoldBetweenClients) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = open(ann, "f", {.access = OPEN4_SHARE_ACCESS_BOTH, .deny = OPEN4_SHARE_DENY_WRITE, .create = true});
  EXPECT_NFS(NFS4ERR_SHARE_DENIED, sim.run(bob.open("f", client::OpenHow::write())));
  EXPECT_DONE(sim.run(bob.open("f", client::OpenHow::read())));
  EXPECT_DONE(sim.run(ann.close(file)));
  EXPECT_DONE(sim.run(bob.open("f", client::OpenHow::write())));
}

TEST_F(MdsStateTest, LocksConflictAndAreTestedAndReleased) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto of_ann = create(ann, "f");
  auto of_bob = open(bob, "f", client::OpenHow::write());
  const auto held = lock(ann, of_ann, WRITE_LT, 10, 20);
  ASSERT_EQ(held.status, NFS4_OK);
  const auto denied = lock(bob, of_bob, READ_LT, 0, NFS4_UINT64_MAX);
  EXPECT_EQ(denied.status, NFS4ERR_DENIED);
  EXPECT_EQ(denied.denied.offset, 10u);
  EXPECT_EQ(denied.denied.length, 20u);
  EXPECT_EQ(denied.denied.locktype, WRITE_LT);
  EXPECT_EQ(lock(bob, of_bob, WRITE_LT, 30, 5).status, NFS4_OK);
  EXPECT_EQ(lock(bob, of_bob, WRITE_LT, 0, 0).status, NFS4ERR_INVAL);
  EXPECT_EQ(lock(bob, of_bob, WRITE_LT, 8, NFS4_UINT64_MAX - 3).status, NFS4ERR_INVAL);
  EXPECT_EQ(unlock(ann, of_ann, held.stateid), NFS4_OK);
  EXPECT_EQ(lock(bob, of_bob, READ_LT, 10, 20).status, NFS4_OK);
}

TEST_F(MdsStateTest, AWriteDelegationIsRecalledForAnotherReader) {
  options.delegations = true;
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  ASSERT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
  write(ann, file, 0, "text");
  auto other = open(bob, "f", client::OpenHow::read());
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(file->delegation, OPEN_DELEGATE_NONE) << "given back";
  EXPECT_EQ(read(bob, other), "text");
  EXPECT_EQ(other->delegation, OPEN_DELEGATE_NONE) << "a writer is there";
}

// Answers the first recalls as it is told, then as the client would.
struct Reluctant final : client::CallbackHandler {
  client::FileSystem& fs;
  nfsstat4 answer;
  int times;
  std::vector<nfs_cb_opnum4> seen;
  Reluctant(client::FileSystem& fs, nfsstat4 answer, int times) : fs(fs), answer(answer), times(times) {
    fs.callbacks().set_handler(this);
  }
  io::Task<nfsstat4> callback(nfs_cb_opnum4 op, const void* args, void* res) override {
    seen.push_back(op);
    if (op == OP_CB_RECALL && times-- > 0) co_return answer;
    co_return co_await fs.callback(op, args, res);
  }
};

TEST_F(MdsStateTest, ARecallThatComesTooEarlyIsSentAgain) {
  for (const nfsstat4 answer : {NFS4ERR_DELAY, NFS4ERR_BAD_STATEID, NFS4ERR_BADHANDLE}) {
    auto& ann = mount("ann" + std::to_string(answer));
    auto& bob = mount("bob" + std::to_string(answer));
    Reluctant reluctant(ann, answer, 3);
    auto file = create(ann, "f" + std::to_string(answer));
    ASSERT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
    const TimePoint before = sim.now();
    EXPECT_NE(open(bob, file->path, client::OpenHow::read()), nullptr);
    EXPECT_EQ(std::ranges::count(reluctant.seen, OP_CB_RECALL), 4);
    EXPECT_EQ(file->delegation, OPEN_DELEGATE_NONE);
    EXPECT_FALSE(mds->state().has_revoked(ann.session().clientid()));
    EXPECT_LT(sim.now() - before, std::chrono::seconds(5)) << "not a lease";
    ann.callbacks().set_handler(&ann);
  }
}

TEST_F(MdsStateTest, WhatADelegationStandsForIsOpenedInTheGracePeriodToo) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  ASSERT_DONE(sim.run(bob.close(create(bob, "other"))));
  auto file = create(ann, "f");
  ASSERT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
  sim.run(bob.stop());
  crash();
  start();
  const auto open_as = [&](open_claim_type4 claim) {
    auto compound = Compound::in_session();
    OPEN4args args;
    args.share_access = OPEN4_SHARE_ACCESS_READ;
    args.owner.owner.bytes = bytes_of("another");
    args.claim.claim = claim;
    args.claim.oc_delegate_stateid = file->delegation_stateid;
    args.claim.delegate_type = OPEN_DELEGATE_WRITE;
    compound->putfh(file->fh).add(OP_OPEN, args);
    auto reply = sim.run(ann.session().run(compound));
    if (!reply) return reply.error().status;
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<OPEN4res>(OP_OPEN);
    if (res.status == NFS4_OK && claim == CLAIM_PREVIOUS)
      file->delegation_stateid = res.resok4.delegation.write.stateid;
    return res.status;
  };
  ASSERT_EQ(open_as(CLAIM_PREVIOUS), NFS4ERR_BADSESSION);
  ASSERT_DONE(sim.run(ann.session().establish()));
  ASSERT_TRUE(mds->in_grace());
  EXPECT_EQ(open_as(CLAIM_FH), NFS4ERR_GRACE);
  ASSERT_EQ(open_as(CLAIM_PREVIOUS), NFS4_OK);
  EXPECT_EQ(open_as(CLAIM_DELEG_CUR_FH), NFS4_OK) << "18.16.3: valid both during and after the grace period";
}

TEST_F(MdsStateTest, WaitersForALockAreToldInTheirOrder) {
  options.delegations = false;
  stop();
  start();
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto& cat = mount("cat");
  auto of_ann = create(ann, "f");
  auto of_bob = open(bob, "f", client::OpenHow::write());
  auto of_cat = open(cat, "f", client::OpenHow::write());
  const auto told = [](client::FileSystem& fs) {
    return std::ranges::count(fs.callbacks().seen(), OP_CB_NOTIFY_LOCK, [](const auto& s) { return s.op; });
  };
  const auto held = lock(ann, of_ann, WRITE_LT, 0, 10);
  ASSERT_EQ(held.status, NFS4_OK);
  EXPECT_EQ(lock(bob, of_bob, WRITEW_LT, 0, 10).status, NFS4ERR_DENIED);
  EXPECT_EQ(lock(cat, of_cat, WRITEW_LT, 0, 10).status, NFS4ERR_DENIED);
  EXPECT_EQ(unlock(ann, of_ann, held.stateid), NFS4_OK);
  sim.run_for(std::chrono::milliseconds(100));
  EXPECT_EQ(told(bob), 1);
  EXPECT_EQ(told(cat), 0);
  EXPECT_EQ(lock(cat, of_cat, WRITEW_LT, 0, 10).status, NFS4ERR_DENIED) << "Bob has waited longer";
  sim.run_for(std::chrono::seconds(3));
  EXPECT_EQ(told(cat), 1) << "Bob did not come";
  EXPECT_EQ(lock(cat, of_cat, WRITEW_LT, 0, 10).status, NFS4_OK);
}

TEST_F(MdsStateTest, ReadersShareReadDelegations) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  ASSERT_DONE(sim.run(ann.close(create(ann, "f"))));
  auto of_ann = open(ann, "f", client::OpenHow::read());
  auto of_bob = open(bob, "f", client::OpenHow::read());
  EXPECT_EQ(of_ann->delegation, OPEN_DELEGATE_READ);
  EXPECT_EQ(of_bob->delegation, OPEN_DELEGATE_READ);
  ASSERT_DONE(sim.run(ann.setattr("f", {.mode = 0600})));
  EXPECT_EQ(of_bob->delegation, OPEN_DELEGATE_NONE);
}

TEST_F(MdsStateTest, AnExpiredClientKeepsItsStateUntilSomebodyConflicts) {
  options.delegations = false;
  stop();
  start();
  auto& ann = mount_apart("ann-node", "10.0.0.3");
  auto& bob = mount("bob");
  auto of_ann = create(ann, "f");
  ASSERT_EQ(lock(ann, of_ann, WRITE_LT, 0, 10).status, NFS4_OK);
  auto of_bob = open(bob, "f", client::OpenHow::write());

  // Cut off for three leases without a conflict: it comes back and goes on.
  network.partition("mds", "ann-node");
  sim.run_for(std::chrono::seconds(35));
  network.heal("mds", "ann-node");
  sim.run_for(std::chrono::seconds(5));
  write(ann, of_ann, 0, "back");
  EXPECT_EQ(ann.recoveries(), 0u);
  EXPECT_EQ(lock(bob, of_bob, WRITE_LT, 0, 10).status, NFS4ERR_DENIED);

  // With a conflict its state is gone.
  network.partition("mds", "ann-node");
  EXPECT_EQ(lock(bob, of_bob, WRITE_LT, 0, 10).status, NFS4ERR_DENIED) << "the lease is still good";
  sim.run_for(std::chrono::seconds(25));
  EXPECT_EQ(lock(bob, of_bob, WRITE_LT, 0, 10).status, NFS4_OK);
  network.heal("mds", "ann-node");
}

TEST_F(MdsStateTest, CourtesyEndsInTheEnd) {
  options.courtesy = std::chrono::seconds(60);
  stop();
  start();
  auto& ann = mount_apart("ann-node", "10.0.0.3");
  const auto file = create(ann, "f");
  network.partition("mds", "ann-node");
  sim.run_for(std::chrono::seconds(50));
  EXPECT_TRUE(mds->state().has_state(ann.session().clientid()));
  sim.run_for(std::chrono::seconds(40));
  EXPECT_FALSE(mds->state().has_state(ann.session().clientid()));
  network.heal("mds", "ann-node");
}

TEST_F(MdsStateTest, ADelegationOfADeadClientDoesNotBlockForLong) {
  auto& ann = mount_apart("ann-node", "10.0.0.3");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  ASSERT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
  network.kill("ann-node", io::MemoryNetwork::Death::power);
  const TimePoint before = sim.now();
  auto other = open(bob, "f", client::OpenHow::write());
  ASSERT_NE(other, nullptr);
  EXPECT_LT(sim.now() - before, std::chrono::seconds(30));
}

TEST_F(MdsStateTest, GraceEndsWhenTheLastClientHasReclaimed) {
  auto& ann = mount("ann");
  auto file = create(ann, "f");
  crash();
  start();
  EXPECT_TRUE(mds->in_grace());
  const TimePoint before = sim.now();
  write(ann, file, 0, "reclaimed");
  EXPECT_FALSE(mds->in_grace());
  EXPECT_LT(sim.now() - before, std::chrono::seconds(8)) << "not a whole lease";
}

TEST_F(MdsStateTest, NewOpensWaitForTheEndOfGrace) {
  auto& ann = mount("ann");
  auto file = create(ann, "f");
  sim.run(ann.stop());
  crash();
  start();
  auto& bob = mount("bob");
  auto reply = sim.run(bob.session().run([&] {
    auto compound = Compound::in_session();
    OPEN4args args;
    args.share_access = OPEN4_SHARE_ACCESS_READ;
    args.claim.claim = CLAIM_FH;
    compound->putfh(file->fh).add(OP_OPEN, args);
    return compound;
  }()));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ((*reply)->status(), NFS4ERR_GRACE);
  sim.run_for(std::chrono::seconds(12));
  EXPECT_DONE(sim.run(bob.open("f", client::OpenHow::read())));
}

TEST_F(MdsStateTest, ReclaimsAreRefusedWithoutGraceOrRecord) {
  auto& ann = mount("ann");
  auto file = create(ann, "f");
  auto claim = [&](client::FileSystem& fs) {
    auto compound = Compound::in_session();
    OPEN4args args;
    args.share_access = OPEN4_SHARE_ACCESS_READ;
    args.claim.claim = CLAIM_PREVIOUS;
    compound->putfh(file->fh).add(OP_OPEN, args);
    auto reply = sim.run(fs.session().run(compound));
    return reply ? (*reply)->status() : NFS4ERR_SERVERFAULT;
  };
  EXPECT_EQ(claim(ann), NFS4ERR_NO_GRACE);
}

TEST_F(MdsStateTest, TheCurrentStateidGoesFromOpenToWriteToClose) {
  auto& ann = mount("ann");
  auto made = create(ann, "f");
  ASSERT_DONE(sim.run(ann.close(made)));
  stateid4 current;
  current.seqid = 1;
  auto compound = Compound::in_session();
  OPEN4args args;
  args.share_access = OPEN4_SHARE_ACCESS_BOTH;
  args.claim.claim = CLAIM_FH;
  compound->putfh(made->fh).add(OP_OPEN, args);
  compound->add(OP_WRITE, WRITE4args{current, 0, FILE_SYNC4, {bytes_of("abc")}});
  compound->add(OP_CLOSE, CLOSE4args{0, current});
  compound->add(OP_CLOSE, CLOSE4args{0, current});
  auto reply = sim.run(ann.session().run(compound));
  ASSERT_TRUE(reply.has_value());
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<OPEN4res>(OP_OPEN);
  EXPECT_EQ((*reply)->get<WRITE4res>(OP_WRITE).resok4.count, 3u);
  EXPECT_EQ((*reply)->get<CLOSE4res>(OP_CLOSE).status, NFS4_OK);
  EXPECT_EQ((*reply)->status(), NFS4ERR_BAD_STATEID) << "what CLOSE returned is no stateid";
}

}  // namespace
}  // namespace pnfs::mds
