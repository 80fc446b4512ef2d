#include "common/session/session_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/session/digest.hpp"

namespace pnfs::session {
namespace {

using namespace std::chrono_literals;

Verifier verifier(int n) {
  Verifier v;
  v.bytes[7] = std::byte(n);
  return v;
}

constexpr Principal kRoot{1, 0, 0};
constexpr Principal kOther{1, 1111, 37};
constexpr ChannelAttrs kAttrs{0, 8192, 8192, 8192, 128, 8};

class SessionTableTest : public testing::Test, public Owner {
 protected:
  bool has_state(ClientId id) const override { return with_state.contains(id); }
  void client_removed(ClientId id, Removed why) override { removed.emplace_back(id, why); }

  SessionTable::ExchangeAnswer exchange(std::string_view owner = "a", int verf = 1, Principal who = kRoot,
                                        bool update = false) {
    return table.exchange_id({.owner = owner, .verifier = verifier(verf), .principal = who, .update = update}, now);
  }
  SessionTable::CreateRequest create_request(ClientId id, uint32_t sequence, Principal who = kRoot) {
    return {.client = id, .sequence = sequence, .principal = who, .fore = kAttrs, .back = kAttrs, .connection = 5};
  }
  SessionTable::CreateAnswer create(ClientId id, uint32_t sequence, Principal who = kRoot) {
    return table.create_session(create_request(id, sequence, who), now);
  }
  // A confirmed client with one session.
  ClientId client(std::string_view owner = "a", int verf = 1, Principal who = kRoot) {
    const auto id = exchange(owner, verf, who);
    const auto made = create(id.client, id.sequence, who);
    EXPECT_EQ(made.created.status.status, nfs::NFS4_OK) << made.created.status.reason;
    last = made.created.session;
    return id.client;
  }
  SessionTable::SequenceAnswer sequence(const SessionId& id, SequenceRequest r, ConnectionId connection = 5,
                                        size_t bytes = 200, uint32_t ops = 3) {
    return table.sequence(id, r, connection, {.request_bytes = bytes, .reply_bytes = 80, .operations = ops}, now);
  }

  Config config;
  SessionTable table{config, *this};
  TimePoint now{1s};
  std::set<ClientId> with_state;
  std::vector<std::pair<ClientId, Removed>> removed;
  SessionId last;
};

// ---- EXCHANGE_ID: the cases of 18.35.4 by their numbers -------------------------------------------------------------

TEST_F(SessionTableTest, Case1NewOwner) {
  const auto answer = exchange();
  EXPECT_EQ(answer.status.status, nfs::NFS4_OK);
  EXPECT_FALSE(answer.confirmed);
  EXPECT_NE(exchange("b").client, answer.client);
}

TEST_F(SessionTableTest, Case2SameIncarnationGetsTheSameId) {
  const ClientId id = client();
  const auto again = exchange();
  EXPECT_EQ(again.client, id);
  EXPECT_TRUE(again.confirmed);
  EXPECT_EQ(again.sequence, 2u) << "the next csa_sequence, not the first";
}

TEST_F(SessionTableTest, Case3CollisionWithLiveStateIsRefused) {
  const ClientId id = client();
  EXPECT_EQ(exchange("a", 1, kOther).status.status, nfs::NFS4ERR_CLID_INUSE);
  ASSERT_TRUE(table.destroy_session(last, 5).ok());
  with_state.insert(id);
  EXPECT_EQ(exchange("a", 1, kOther).status.status, nfs::NFS4ERR_CLID_INUSE);
  now += config.lease;  // expired with state: the newcomer wins
  const auto taken = exchange("a", 1, kOther);
  EXPECT_EQ(taken.status.status, nfs::NFS4_OK);
  EXPECT_NE(taken.client, id);
  EXPECT_EQ(table.client(id), nullptr);
  EXPECT_EQ(removed.back(), std::pair(id, Removed::collision));
}

TEST_F(SessionTableTest, Case4UnconfirmedRecordIsReplaced) {
  const auto first = exchange("a", 1);
  for (auto [verf, who] : {std::pair(1, kRoot), {2, kRoot}, {1, kOther}, {2, kOther}}) {
    const auto next = exchange("a", verf, who);
    EXPECT_NE(next.client, first.client);
  }
  EXPECT_EQ(table.client_count(), 1u);
  EXPECT_EQ(create(first.client, 1).created.status.status, nfs::NFS4ERR_STALE_CLIENTID);
}

TEST_F(SessionTableTest, Case5RestartReplacesOnConfirmation) {
  const ClientId old = client("a", 1);
  const SessionId old_session = last;
  const auto restarted = exchange("a", 2);
  EXPECT_FALSE(restarted.confirmed);
  EXPECT_NE(table.session(old_session), nullptr) << "kept until the new id is confirmed";
  EXPECT_EQ(exchange("a", 1).client, old) << "the old incarnation asks again: the unconfirmed record goes";
  const auto again = exchange("a", 2);
  const auto made = create(again.client, 1);
  EXPECT_TRUE(made.confirmed_now);
  EXPECT_EQ(table.session(old_session), nullptr);
  EXPECT_EQ(removed.back(), std::pair(old, Removed::replaced));
}

TEST_F(SessionTableTest, Cases6To9Update) {
  constexpr bool kUpdate = true;
  EXPECT_EQ(exchange("a", 1, kRoot, kUpdate).status.status, nfs::NFS4ERR_NOENT);
  exchange("a", 1);
  EXPECT_EQ(exchange("a", 1, kRoot, kUpdate).status.status, nfs::NFS4ERR_NOENT) << "unconfirmed does not count";
  const ClientId id = client("a", 1);
  EXPECT_EQ(exchange("a", 2, kRoot, kUpdate).status.status, nfs::NFS4ERR_NOT_SAME);
  EXPECT_EQ(exchange("a", 2, kOther, kUpdate).status.status, nfs::NFS4ERR_NOT_SAME);
  EXPECT_EQ(exchange("a", 1, kOther, kUpdate).status.status, nfs::NFS4ERR_PERM);
  const auto updated = exchange("a", 1, kRoot, kUpdate);
  EXPECT_EQ(updated.client, id);
  EXPECT_TRUE(updated.confirmed);
}

TEST_F(SessionTableTest, IdsOfOtherNodesAndStartsAreNotOurs) {
  Config other = config;
  other.node = 3;
  SessionTable ds(other, *this);
  const auto here = exchange();
  const auto there = ds.exchange_id({.owner = "a", .verifier = verifier(1), .principal = kRoot}, now);
  EXPECT_NE(here.client, there.client);
  EXPECT_THAT(table.stale(there.client).reason, testing::HasSubstr("not one of this node"));
  other.node = 0;
  other.boot_instance = 2;
  SessionTable restarted(other, *this);
  EXPECT_THAT(restarted.stale(here.client).reason, testing::HasSubstr("start 1"));
}

TEST_F(SessionTableTest, ClientLimitIsADelay) {
  config.limits.max_clients = 2;
  SessionTable small(config, *this);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(small.exchange_id({.owner = i == 0 ? "a" : "b"}, now).status.ok());
  }
  EXPECT_EQ(small.exchange_id({.owner = "c"}, now).status.status, nfs::NFS4ERR_DELAY);
  EXPECT_TRUE(small.exchange_id({.owner = "b"}, now).status.ok()) << "replacing needs no room";
}

// ---- CREATE_SESSION -------------------------------------------------------------------------------------------------

TEST_F(SessionTableTest, CreateSessionHasItsOwnReplaySlot) {
  const auto id = exchange();
  EXPECT_EQ(create(id.client, id.sequence - 1).created.status.status, nfs::NFS4ERR_SEQ_MISORDERED);
  EXPECT_EQ(create(id.client, id.sequence + 1).created.status.status, nfs::NFS4ERR_SEQ_MISORDERED);
  const auto made = create(id.client, id.sequence);
  const auto again = create(id.client, id.sequence);
  EXPECT_TRUE(again.replayed);
  EXPECT_FALSE(again.confirmed_now);
  EXPECT_EQ(again.created.session, made.created.session);
  EXPECT_EQ(table.session_count(), 1u);
  EXPECT_TRUE(create(id.client, id.sequence + 1).created.status.ok());
  EXPECT_EQ(table.session_count(), 2u);
  EXPECT_EQ(create(id.client, id.sequence).created.status.status, nfs::NFS4ERR_SEQ_MISORDERED);
}

TEST_F(SessionTableTest, ARefusedCreateSessionMovesNothing) {
  const auto id = exchange();
  EXPECT_EQ(create(id.client, 1, kOther).created.status.status, nfs::NFS4ERR_CLID_INUSE);
  auto request = create_request(id.client, 1);
  request.fore.max_response_bytes = 0;
  EXPECT_EQ(table.create_session(request, now).created.status.status, nfs::NFS4ERR_TOOSMALL);
  request = create_request(id.client, 1);
  request.fore.max_request_bytes = 20;
  EXPECT_EQ(table.create_session(request, now).created.status.status, nfs::NFS4ERR_TOOSMALL);
  request = create_request(id.client, 1);
  request.back.max_request_bytes = 10;
  EXPECT_EQ(table.create_session(request, now).created.status.status, nfs::NFS4ERR_TOOSMALL);
  request = create_request(id.client, 1);
  request.unusable_security = true;
  EXPECT_EQ(table.create_session(request, now).created.status.status, nfs::NFS4ERR_NOENT);
  EXPECT_FALSE(table.client(id.client)->confirmed);
  EXPECT_TRUE(create(id.client, 1).created.status.ok());
}

TEST_F(SessionTableTest, AttributesAreNegotiatedDown) {
  const auto id = exchange();
  auto request = create_request(id.client, 1);
  request.fore = {64, 0xffffffff, 0xffffffff, 0xffffffff, 5000, 5000};
  const auto made = table.create_session(request, now).created;
  EXPECT_EQ(made.fore.header_pad_bytes, 0u);
  EXPECT_EQ(made.fore.max_request_bytes, config.limits.max_request_bytes);
  EXPECT_EQ(made.fore.max_response_bytes, config.limits.max_response_bytes);
  EXPECT_EQ(made.fore.max_cached_bytes, config.limits.max_cached_bytes);
  EXPECT_EQ(made.fore.max_operations, config.limits.max_operations);
  EXPECT_EQ(made.fore.max_requests, config.limits.max_slots);
  EXPECT_EQ(made.back, kAttrs) << "operations and requests of the back channel are the client's alone (18.36.3)";
}

TEST_F(SessionTableTest, NearItsMemoryLimitAClientGetsFewerSlotsThenNone) {
  config.limits.max_client_bytes = (8192 + sizeof(Slot)) * 10;
  SessionTable small(config, *this);
  const auto id = small.exchange_id({.owner = "a", .principal = kRoot}, now);
  auto request = create_request(id.client, 1);
  EXPECT_EQ(small.create_session(request, now).created.fore.max_requests, 8u);
  request.sequence = 2;
  const auto second = small.create_session(request, now).created;
  EXPECT_EQ(second.fore.max_requests, 2u);
  request.sequence = 3;
  EXPECT_EQ(small.create_session(request, now).created.status.status, nfs::NFS4ERR_NOSPC);
  EXPECT_TRUE(small.destroy_session(second.session, 5).ok());
  EXPECT_EQ(small.create_session(request, now).created.fore.max_requests, 2u);
}

TEST_F(SessionTableTest, SlotsAreTakenBackWhenTheReplyCachesAreNearlyFull) {
  config.limits.max_reply_cache_bytes = 4000;
  config.limits.max_slots = 16;
  SessionTable small(config, *this);
  const auto id = small.exchange_id({.owner = "a", .principal = kRoot}, now);
  auto request = create_request(id.client, 1);
  request.fore.max_requests = 16;
  const SessionId session = small.create_session(request, now).created.session;
  const auto ask = [&](uint32_t slot, uint32_t sequence, uint32_t highest, size_t kept) {
    const auto answer =
        small.sequence(session, {.sequence = sequence, .slot = slot, .highest_slot = highest, .cache_this = true}, 5,
                       {.request_bytes = 100}, now);
    if (answer.status) small.finish(session, slot, sequence, std::vector<std::byte>(kept), true, now);
    return answer.status.status;
  };
  for (uint32_t slot = 0; slot < 16; ++slot) {
    EXPECT_TRUE(small.balance_slots().empty()) << slot;
    ASSERT_EQ(ask(slot, 1, 15, slot == 15 ? 100 : 200), nfs::NFS4_OK);
  }
  const Session& slots = *small.session(session);
  ASSERT_EQ(slots.slots().cached_bytes(), 3100u);
  EXPECT_EQ(small.balance_slots(), std::vector{session}) << "over three quarters";
  EXPECT_TRUE(small.balance_slots().empty()) << "once";
  EXPECT_EQ(slots.slots().target_highest_slot(), 7u);
  EXPECT_EQ(slots.slots().highest_slot(), 15u) << "until the client knows";
  ASSERT_EQ(ask(0, 2, 15, 1100), nfs::NFS4_OK);
  EXPECT_EQ(ask(2, 2, 15, 10), nfs::NFS4ERR_DELAY) << "full: nothing is run whose reply could not be kept";
  request.sequence = 2;
  EXPECT_EQ(small.create_session(request, now).created.status.status, nfs::NFS4ERR_NOSPC);
  // Without sa_cachethis the client goes on, and shows that it has heard.
  auto heard = small.sequence(session, {.sequence = 3, .slot = 0, .highest_slot = 7}, 5, {.request_bytes = 100}, now);
  ASSERT_TRUE(heard.status.ok()) << heard.status.reason;
  small.finish(session, 0, 3, {}, false, now);
  EXPECT_EQ(slots.slots().highest_slot(), 7u);
  EXPECT_EQ(ask(2, 2, 7, 10), nfs::NFS4_OK);
  EXPECT_EQ(small.balance_slots(), std::vector{session}) << "half of it is free again";
  EXPECT_EQ(slots.slots().target_highest_slot(), 15u);
}

TEST_F(SessionTableTest, UnconfirmedRecordsGoAfterALease) {
  const auto id = exchange();
  now += config.lease;
  EXPECT_EQ(create(id.client, 1).created.status.status, nfs::NFS4ERR_STALE_CLIENTID);
}

// ---- SEQUENCE -------------------------------------------------------------------------------------------------------

TEST_F(SessionTableTest, SequenceChecksTheSessionsLimitsFirst) {
  client();
  EXPECT_EQ(sequence(SessionId{}, {.sequence = 1}).status.status, nfs::NFS4ERR_BADSESSION);
  EXPECT_EQ(sequence(last, {.sequence = 1}, 5, 8193).status.status, nfs::NFS4ERR_REQ_TOO_BIG);
  EXPECT_EQ(sequence(last, {.sequence = 1}, 5, 200, 65).status.status, nfs::NFS4ERR_TOO_MANY_OPS);
  const auto good = sequence(last, {.sequence = 1}, 5, 8192, 64);
  EXPECT_EQ(good.verdict, SlotTable::Verdict::execute) << good.status.reason;
}

TEST_F(SessionTableTest, CacheThisNeedsRoomForSequenceItself) {
  const auto id = exchange();
  auto request = create_request(id.client, 1);
  request.fore.max_cached_bytes = 10;
  const SessionId session = table.create_session(request, now).created.session;
  EXPECT_EQ(sequence(session, {.sequence = 1, .cache_this = true}).status.status, nfs::NFS4ERR_REP_TOO_BIG_TO_CACHE);
  EXPECT_TRUE(sequence(session, {.sequence = 1}).status.ok());
}

TEST_F(SessionTableTest, AReplyThatCannotEvenHoldSequenceIsRefused) {
  client();
  const auto answer = table.sequence(last, {.sequence = 1}, 5, {.request_bytes = 200, .reply_bytes = 8193}, now);
  EXPECT_EQ(answer.status.status, nfs::NFS4ERR_REP_TOO_BIG);
}

TEST_F(SessionTableTest, SequenceBindsAnUnknownConnectionToTheForeChannel) {
  client();
  EXPECT_FALSE(sequence(last, {.sequence = 1}, 5).bound_now);
  EXPECT_TRUE(sequence(last, {.sequence = 1, .slot = 1, .highest_slot = 1}, 6).bound_now);
  EXPECT_EQ(table.session(last)->binding(6), Direction::fore);
  table.connection_closed(6);
  EXPECT_EQ(table.session(last)->binding(6), std::nullopt);
}

TEST_F(SessionTableTest, ConnectionsOfASessionAreLimited) {
  client();
  for (uint32_t i = 0; i < config.limits.max_connections_per_session - 1; ++i) {
    EXPECT_TRUE(table.bind(last, 100 + i, nfs::CDFC4_FORE, now).status.ok());
  }
  EXPECT_EQ(sequence(last, {.sequence = 1}, 9999).status.status, nfs::NFS4ERR_CONN_NOT_BOUND_TO_SESSION);
  EXPECT_TRUE(sequence(last, {.sequence = 1}, 5).status.ok());
}

TEST_F(SessionTableTest, FinishAfterTheSessionIsGoneIsHarmless) {
  client();
  ASSERT_EQ(sequence(last, {.sequence = 1}).verdict, SlotTable::Verdict::execute);
  ASSERT_TRUE(table.destroy_session(last, 5).ok());
  table.finish(last, 0, 1, {}, true, now);
  EXPECT_EQ(sequence(last, {.sequence = 2}).status.status, nfs::NFS4ERR_BADSESSION);
}

TEST_F(SessionTableTest, DigestSeesArgumentsAndPrincipal) {
  std::vector<std::byte> args(300, std::byte{1});
  const uint64_t digest = request_digest(args, kRoot);
  EXPECT_EQ(request_digest(args, kRoot), digest);
  EXPECT_NE(request_digest(args, kOther), digest);
  args[299] = std::byte{2};
  EXPECT_NE(request_digest(args, kRoot), digest);
  args.resize(301);
  const uint64_t longer = request_digest(args, kRoot);
  args.resize(100000);
  EXPECT_NE(request_digest(args, kRoot), longer);
}

// ---- connections and the back channel -------------------------------------------------------------------------------

TEST_F(SessionTableTest, BackChannelIsBoundOnRequestAndFlagsFollowIt) {
  const auto id = exchange();
  auto request = create_request(id.client, 1);
  request.flags = nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
  const auto made = table.create_session(request, now).created;
  EXPECT_EQ(made.flags, nfs::CREATE_SESSION4_FLAG_CONN_BACK_CHAN);
  Session* session = table.session(made.session);
  const Client& c = *table.client(id.client);
  EXPECT_EQ(session->back_connection(), 5u);
  EXPECT_EQ(table.status_flags(*session, c), 0u);
  EXPECT_EQ(table.back_session(id.client), session);

  table.connection_closed(5);
  EXPECT_EQ(table.status_flags(*session, c), nfs::SEQ4_STATUS_CB_PATH_DOWN | nfs::SEQ4_STATUS_CB_PATH_DOWN_SESSION);
  EXPECT_EQ(table.back_session(id.client), nullptr);

  EXPECT_EQ(table.bind(made.session, 6, nfs::CDFC4_BACK, now).direction, Direction::back);
  EXPECT_EQ(table.status_flags(*session, c), 0u);
  session->set_back_path_down(true);
  EXPECT_EQ(table.status_flags(*session, c), nfs::SEQ4_STATUS_CB_PATH_DOWN | nfs::SEQ4_STATUS_CB_PATH_DOWN_SESSION);
  request.sequence = 2;
  const auto second = table.create_session(request, now).created;
  EXPECT_EQ(table.status_flags(*session, c), nfs::SEQ4_STATUS_CB_PATH_DOWN_SESSION) << "another session has one";
  EXPECT_EQ(table.back_session(id.client)->id(), second.session);
}

TEST_F(SessionTableTest, ASessionThatNeverAskedForABackChannelHasNoFlags) {
  const ClientId id = client();
  EXPECT_EQ(table.status_flags(*table.session(last), *table.client(id)), 0u);
}

TEST_F(SessionTableTest, BindingAgainIsFineChangingIsNot) {
  client();  // connection 5 on the fore channel
  EXPECT_TRUE(table.bind(last, 5, nfs::CDFC4_FORE, now).status.ok());
  EXPECT_EQ(table.bind(last, 5, nfs::CDFC4_BACK, now).status.status, nfs::NFS4ERR_INVAL);
  EXPECT_EQ(table.bind(last, 5, nfs::CDFC4_BACK_OR_BOTH, now).status.status, nfs::NFS4ERR_INVAL);
  EXPECT_EQ(table.bind(last, 5, nfs::CDFC4_FORE_OR_BOTH, now).direction, Direction::both);
  EXPECT_EQ(table.bind(last, 5, nfs::CDFC4_FORE, now).status.status, nfs::NFS4ERR_INVAL);
  EXPECT_EQ(table.bind(last, 5, 4, now).status.status, nfs::NFS4ERR_INVAL);
  EXPECT_EQ(table.bind(SessionId{}, 5, nfs::CDFC4_FORE, now).status.status, nfs::NFS4ERR_BADSESSION);
}

// ---- the end of sessions and clients --------------------------------------------------------------------------------

TEST_F(SessionTableTest, DestroySessionWantsABoundConnection) {
  const ClientId id = client();
  EXPECT_EQ(table.destroy_session(last, 77).status, nfs::NFS4ERR_CONN_NOT_BOUND_TO_SESSION);
  EXPECT_TRUE(table.destroy_session(last, 5).ok());
  EXPECT_EQ(table.destroy_session(last, 5).status, nfs::NFS4ERR_BADSESSION);
  EXPECT_NE(table.client(id), nullptr);
}

TEST_F(SessionTableTest, DestroyClientidRefusesWhileThereIsSomething) {
  const ClientId id = client();
  EXPECT_EQ(table.destroy_client(id, now).status, nfs::NFS4ERR_CLIENTID_BUSY);
  ASSERT_TRUE(table.destroy_session(last, 5).ok());
  with_state.insert(id);
  EXPECT_EQ(table.destroy_client(id, now).status, nfs::NFS4ERR_CLIENTID_BUSY);
  with_state.clear();
  EXPECT_TRUE(table.destroy_client(id, now).ok());
  EXPECT_EQ(table.destroy_client(id, now).status, nfs::NFS4ERR_STALE_CLIENTID);
  EXPECT_EQ(table.destroy_client(0, now).status, nfs::NFS4ERR_STALE_CLIENTID);
}

TEST_F(SessionTableTest, ReclaimCompleteOnce) {
  const ClientId id = client();
  EXPECT_TRUE(table.may_reclaim_complete(id).ok());
  table.client(id)->reclaim_complete = true;
  EXPECT_EQ(table.may_reclaim_complete(id).status, nfs::NFS4ERR_COMPLETE_ALREADY);
}

TEST_F(SessionTableTest, SweepReportsExpiredClientsWithStateOnceAndRemovesTheRest) {
  const ClientId keeper = client("keeper");
  const SessionId session = last;
  client("idle");
  exchange("unconfirmed");
  with_state.insert(keeper);
  now += config.lease - 1ns;
  EXPECT_TRUE(table.sweep(now).empty());
  EXPECT_EQ(table.client_count(), 3u);
  now += 1ns;
  EXPECT_EQ(table.sweep(now), std::vector{keeper});
  EXPECT_EQ(table.client_count(), 1u);
  EXPECT_TRUE(table.sweep(now).empty()) << "reported once";
  EXPECT_TRUE(sequence(session, {.sequence = 1}).status.ok()) << "a courteous server takes it back";
  now += config.lease;
  EXPECT_EQ(table.sweep(now), std::vector{keeper});
}

}  // namespace
}  // namespace pnfs::session
