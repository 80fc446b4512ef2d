#include "mds/control/membership.hpp"

#include <gtest/gtest.h>

#include "mds/control/verdict_book.hpp"

namespace pnfs::mds::cluster {
namespace {

using namespace std::chrono_literals;

Node node(NodeId id, uint64_t instance = 1) {
  Node n;
  n.id = id;
  n.name = "ds";
  n.instance = instance;
  n.connection = 10 + id;
  return n;
}

TEST(Membership, ANodeIsAMemberOnceItAcknowledged) {
  Membership members(3s);
  members.admit(node(1), TimePoint{});
  EXPECT_TRUE(members.usable().empty());
  members.acknowledge(1);
  ASSERT_EQ(members.usable().size(), 1u);
}

TEST(Membership, TheLeaseRunsOutUnlessRenewed) {
  Membership members(3s);
  members.admit(node(1), TimePoint{});
  members.acknowledge(1);
  EXPECT_TRUE(members.expire(TimePoint{2s}).empty());
  EXPECT_TRUE(members.renew(1, 0, TimePoint{2s}));
  EXPECT_TRUE(members.expire(TimePoint{4s}).empty());
  EXPECT_EQ(members.expire(TimePoint{5s}), std::vector<NodeId>{1});
  EXPECT_TRUE(members.expire(TimePoint{6s}).empty()) << "told once";
  EXPECT_FALSE(members.renew(1, 0, TimePoint{6s})) << "a lost lease does not come back";
  EXPECT_TRUE(members.usable().empty());
}

TEST(Membership, TheSameLifeOverANewConnectionStaysAMember) {
  Membership members(3s);
  members.admit(node(1), TimePoint{});
  members.acknowledge(1);
  members.connection_closed(11);
  EXPECT_TRUE(members.usable().empty()) << "cannot be asked now";
  auto again = node(1);
  again.connection = 99;
  EXPECT_EQ(members.admit(again, TimePoint{1s}).state, NodeState::member);
  EXPECT_EQ(members.usable().size(), 1u);
}

TEST(Membership, AnotherLifeMustAcknowledgeAnew) {
  Membership members(3s);
  members.admit(node(1), TimePoint{});
  members.acknowledge(1);
  EXPECT_EQ(members.admit(node(1, 2), TimePoint{1s}).state, NodeState::joining);
}

TEST(VerdictBook, KnowsWhomToTell) {
  VerdictBook book;
  const VerdictBook::Other one{std::byte{1}}, two{std::byte{2}};
  book.given(7, one, 100, 1);
  book.given(7, one, 100, 2);
  book.given(7, two, 200, 1);
  book.given(8, one, 100, 1);
  EXPECT_EQ(book.size(), 4u);
  EXPECT_EQ(book.of_stateid(7, one).size(), 2u);
  EXPECT_EQ(book.of_file(7).size(), 3u);
  EXPECT_EQ(book.of_client(7, 200).size(), 1u);
  EXPECT_EQ(book.of_client_everywhere(100).size(), 3u);
  EXPECT_TRUE(book.of_stateid(9, one).empty());
}

TEST(VerdictBook, WhatIsEndingIsGivenToNobodyMeanwhile) {
  VerdictBook book;
  const uint64_t one = book.begin_ending(7, 1);
  EXPECT_TRUE(book.ending(7, 1));
  EXPECT_FALSE(book.ending(7, 2)) << "only the node that is asked to forget";
  EXPECT_FALSE(book.ending(8, 1));
  const uint64_t all = book.begin_ending(7, VerdictBook::kEveryNode);
  EXPECT_TRUE(book.ending(7, 2));
  EXPECT_TRUE(book.ending_since(one, 7));
  EXPECT_FALSE(book.ending_since(one, 8));
  book.end_ending(one);
  EXPECT_FALSE(book.ending_since(one, 0)) << "a later one does not prolong the wait";
  EXPECT_TRUE(book.ending_since(all, 0));
  book.end_ending(all);
  EXPECT_FALSE(book.any_ending());
}

TEST(VerdictBook, AnEntryStaysUntilItsNodeConfirmed) {
  VerdictBook book;
  const VerdictBook::Other one{std::byte{1}};
  book.given(7, one, 100, 1);
  book.given(7, one, 100, 2);
  book.confirmed({7, one, 1});
  ASSERT_EQ(book.of_stateid(7, one).size(), 1u);
  EXPECT_EQ(book.of_stateid(7, one)[0].node, 2u);
  book.forget_node(2);
  EXPECT_EQ(book.size(), 0u);
}

}  // namespace
}  // namespace pnfs::mds::cluster
