// What clients may use (mds/LIMITS.md): beyond it the right error, and nothing of what they have is lost.
#include "tests/unit/mds/mds_fixture.hpp"

namespace pnfs::mds {
namespace {

using namespace nfs;
using client::Compound;

struct MdsLimitsTest : MdsTest {
  void restart_with(ServerLimits limits) {
    stop();
    options.limits = limits;
    options.delegations = false;
    start();
  }
  // A client that takes no for an answer.
  client::FileSystem& impatient(std::string owner) {
    client::Options how;
    how.owner = std::move(owner);
    how.patience = std::chrono::milliseconds(1);
    clients.push_back(std::make_unique<client::FileSystem>(client_side, sim.timers(), sim.random(), how));
    return *clients.back();
  }
};

TEST_F(MdsLimitsTest, ClientRecords) {
  restart_with({.clients = 2});
  mount("ann");
  mount("bob");
  EXPECT_NFS(NFS4ERR_DELAY, sim.run(impatient("cat").mount(at)));
  EXPECT_DONE(sim.run(clients.front()->mkdir("d")));
}

TEST_F(MdsLimitsTest, Sessions) {
  restart_with({.sessions = 1});
  auto& ann = mount("ann");
  EXPECT_NFS(NFS4ERR_NOSPC, sim.run(impatient("bob").mount(at)));
  EXPECT_DONE(sim.run(ann.mkdir("d")));
}

TEST_F(MdsLimitsTest, Slots) {
  restart_with({.slots = 3});
  auto& ann = mount("ann");
  EXPECT_EQ(ann.session().fore_channel().ca_maxrequests, 3u);
  SEQUENCE4args args = ann.session().sequence_args(0);
  args.sa_slotid = args.sa_highest_slotid = 3;
  auto compound = Compound::bare();
  compound->add(OP_SEQUENCE, args);
  auto reply = sim.run(ann.session().run_bare(compound));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ((*reply)->get<SEQUENCE4res>(OP_SEQUENCE).sr_status, NFS4ERR_BADSLOT);
}

TEST_F(MdsLimitsTest, Connections) {
  restart_with({.connections = 1});
  auto& ann = mount("ann");
  EXPECT_FALSE(sim.run(impatient("bob").mount(at)).has_value());
  EXPECT_DONE(sim.run(ann.mkdir("d")));
}

TEST_F(MdsLimitsTest, Opens) {
  restart_with({.stateids_per_client = 2});
  auto& ann = mount("ann");
  auto first = create(ann, "a");
  auto second = create(ann, "b");
  auto& bob = mount("bob");
  EXPECT_NE(create(bob, "c"), nullptr) << "another client has its own";
  auto compound = Compound::in_session();
  OPEN4args args;
  args.share_access = OPEN4_SHARE_ACCESS_READ;
  args.owner.owner.bytes = bytes_of("one more");
  args.claim.claim = CLAIM_FH;
  compound->putfh(first->fh).add(OP_OPEN, args);
  auto reply = sim.run(ann.session().run(compound));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ((*reply)->status(), NFS4ERR_DELAY);
  write(ann, second, 0, "what is open works");
  ASSERT_DONE(sim.run(ann.close(second)));
  EXPECT_NE(create(ann, "d"), nullptr) << "and closing makes room";
}

TEST_F(MdsLimitsTest, RangesOfOneLockOwner) {
  restart_with({.locks_per_owner = 3});
  auto& ann = mount("ann");
  auto file = create(ann, "f");
  stateid4 held;
  const auto lock = [&](uint64_t offset, std::string_view owner) {
    LOCK4args args;
    args.locktype = WRITE_LT;
    args.offset = offset;
    args.length = 1;
    args.locker.new_lock_owner = true;
    args.locker.open_owner.open_stateid = file->stateid;
    args.locker.open_owner.lock_owner.owner.bytes = bytes_of(owner);
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_LOCK, args);
    auto reply = sim.run(ann.session().run(compound));
    if (!reply) return NFS4ERR_SERVERFAULT;
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<LOCK4res>(OP_LOCK);
    if (res.status == NFS4_OK) held = res.resok4.lock_stateid;
    return res.status;
  };
  for (const uint64_t offset : {0, 2, 4}) ASSERT_EQ(lock(offset, "owner"), NFS4_OK);
  EXPECT_EQ(lock(6, "owner"), NFS4ERR_DELAY);
  const stateid4 full = held;
  EXPECT_EQ(lock(6, "other"), NFS4_OK) << "another lock-owner has its own";
  for (const uint64_t offset : {0, 2, 4})
    EXPECT_EQ(lock(offset, "other"), NFS4ERR_DENIED) << offset << ": nothing is lost";
  auto unlock = Compound::in_session();
  unlock->putfh(file->fh).add(OP_LOCKU, LOCKU4args{WRITE_LT, 0, full, 0, 1});
  auto reply = sim.run(ann.session().run(unlock));
  ASSERT_TRUE(reply.has_value());
  ASSERT_EQ((*reply)->status(), NFS4_OK);
  EXPECT_EQ(lock(8, "owner"), NFS4_OK) << "and unlocking makes room";
}

TEST_F(MdsLimitsTest, RepliesThatAreKept) {
  restart_with({.reply_cache_mib = 1});
  auto& owner = mount("owner");
  auto file = create(owner, "f");
  write(owner, file, 0, std::string(3800, 'x'));
  // Clients whose every slot keeps a reply of nearly the size that they asked for, and who do not hear that they shall
  // use fewer slots.
  client::FileSystem* asker = nullptr;
  const auto ask = [&](uint32_t slot, bool keep, bool again = false) {
    client::Session& session = asker->session();
    SEQUENCE4args sequence = session.sequence_args(slot);
    if (again) --sequence.sa_sequenceid;
    sequence.sa_highest_slotid = session.fore_channel().ca_maxrequests - 1;
    sequence.sa_cachethis = keep;
    auto compound = Compound::bare();
    compound->add(OP_SEQUENCE, sequence).putfh(file->fh).add(OP_READ, READ4args{{}, 0, 3800});
    auto reply = sim.run(session.run_bare(compound));
    if (!reply) return NFS4ERR_SERVERFAULT;
    if ((*reply)->status() == NFS4_OK && !again) session.slot_used(slot);
    return (*reply)->status();
  };
  const auto mount_with_slots = [&](int number) {
    client::Options how;
    how.owner = "client" + std::to_string(number);
    how.slots = 64;
    how.patience = std::chrono::milliseconds(1);
    how.back_channel = false;
    clients.push_back(std::make_unique<client::FileSystem>(client_side, sim.timers(), sim.random(), how));
    return sim.run(clients.back()->mount(at));
  };
  for (int number = 0; number < 5; ++number) ASSERT_DONE(mount_with_slots(number));
  nfsstat4 status = NFS4_OK;
  for (size_t i = 1; i < clients.size() && status == NFS4_OK; ++i) {
    asker = clients[i].get();
    for (uint32_t slot = 0; slot < 64 && status == NFS4_OK; ++slot) status = ask(slot, true);
  }
  EXPECT_EQ(status, NFS4ERR_DELAY);
  EXPECT_EQ(asker, clients.back().get()) << "1 MiB is more than four clients with 64 replies of 4 KiB keep";
  EXPECT_EQ(ask(0, true, true), NFS4_OK) << "what is kept is answered from";
  EXPECT_NFS(NFS4ERR_NOSPC, mount_with_slots(5));
  EXPECT_EQ(ask(0, false), NFS4_OK) << "without being kept a request is run";
  write(owner, file, 0, "the others go on");
  sim.run(sim.timers().sleep(std::chrono::seconds(2)));
  EXPECT_EQ(mds->sessions().session(asker->session().sessionid())->slots().target_highest_slot(), 7u);
  // Who goes away takes its replies along.
  asker = clients[1].get();
  ASSERT_DONE(sim.run(clients[2]->unmount()));
  EXPECT_EQ(ask(1, true), NFS4_OK);
}

TEST_F(MdsLimitsTest, MemoryOfOneClient) {
  restart_with({.kib_per_client = 256});
  auto& ann = mount("ann");
  // Owners of a kilobyte each: the strings count.
  const auto open_as = [&](int number) {
    auto compound = Compound::in_session();
    const std::string owner = std::to_string(number) + std::string(1000, 'x');
    OPEN4args args;
    args.share_access = OPEN4_SHARE_ACCESS_READ;
    args.owner.owner.bytes = bytes_of(owner);
    args.openhow.opentype = OPEN4_CREATE;
    args.claim.claim = CLAIM_NULL;
    args.claim.file.text = "f";
    compound->putfh(ann.root()).add(OP_OPEN, args);
    auto reply = sim.run(ann.session().run(compound));
    return reply ? (*reply)->status() : NFS4ERR_SERVERFAULT;
  };
  int opened = 0;
  while (open_as(opened) == NFS4_OK) ASSERT_LT(++opened, 1000);
  EXPECT_EQ(open_as(opened), NFS4ERR_DELAY);
  EXPECT_GT(opened, 50);
  EXPECT_LE(mds->state().client(ann.session().clientid())->bytes, 256u << 10);
  // 16 slots of 4 KiB and their records fit, three sessions of them do not.
  EXPECT_EQ(ann.session().fore_channel().ca_maxrequests, 16u);
}

TEST_F(MdsLimitsTest, StateIsCountedOutAgain) {
  restart_with({});
  auto& ann = mount("ann");
  auto file = create(ann, "f");
  const auto client = ann.session().clientid();
  const auto before = mds->state().client(client)->bytes;
  stateid4 held;
  state::StateTable::LockDenied denied;
  for (uint64_t i = 0; i < 100; ++i) {
    const state::StateTable::LockArgs args{client,
                                           *sim.run(ann.getattr("f"))->fileid,
                                           i == 0 ? file->stateid : held,
                                           i == 0 ? std::optional<std::string_view>("l") : std::nullopt,
                                           {2 * i, 2 * i},
                                           true};
    ASSERT_TRUE(mds->state().lock(args, held, denied).ok());
  }
  EXPECT_GT(mds->state().client(client)->bytes, before + 100 * sizeof(state::HeldRange));
  stateid4 after;
  ASSERT_TRUE(mds->state().unlock(client, *sim.run(ann.getattr("f"))->fileid, held, {}, after).ok());
  ASSERT_TRUE(mds->state().free(client, after).ok());
  EXPECT_EQ(mds->state().client(client)->bytes, before);
}

TEST_F(MdsLimitsTest, RequestSize) {
  stop();
  options.max_read_bytes = options.max_write_bytes = 8192;
  start();
  auto& ann = mount("ann");
  auto file = create(ann, "f");
  EXPECT_EQ(ann.session().fore_channel().ca_maxrequestsize, 8192u + 4096u);
  auto compound = Compound::in_session();
  const std::string data(16000, 'x');
  compound->putfh(file->fh).add(OP_WRITE, WRITE4args{file->stateid, 0, FILE_SYNC4, {bytes_of(data)}});
  auto reply = sim.run(ann.session().run(compound));
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().status, NFS4ERR_REQ_TOO_BIG);
  auto most = sim.run(ann.write(file, 0, bytes_of(data).first(8192), FILE_SYNC4));
  ASSERT_DONE(most);
  EXPECT_EQ(most->bytes, 8192u);
}

TEST_F(MdsLimitsTest, ManyClientsWithASessionEach) {
  auto& ann = mount("ann");
  const size_t before = mds->sessions().session_count();
  for (int i = 0; i < 3000; ++i) {
    session::SessionTable::ExchangeRequest who{.owner = "client"};
    const std::string owner = "client" + std::to_string(i);
    who.owner = owner;
    const auto id = mds->sessions().exchange_id(who, sim.now());
    ASSERT_TRUE(id.status.ok()) << id.status.reason;
    session::ChannelAttrs channel{0, 1 << 20, 1 << 20, 8192, 16, 64};
    const auto made = mds->sessions().create_session(
        {.client = id.client, .sequence = id.sequence, .fore = channel, .back = channel}, sim.now());
    ASSERT_TRUE(made.created.status.ok()) << i << ": " << made.created.status.reason;
    ASSERT_EQ(made.created.fore.max_requests, 64u) << i;
  }
  EXPECT_EQ(mds->sessions().session_count(), before + 3000);
  EXPECT_DONE(sim.run(ann.mkdir("d")));
}

}  // namespace
}  // namespace pnfs::mds
