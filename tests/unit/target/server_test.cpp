// The whole server on a memory network and virtual time, against an initiator that can do anything wrong.
#include "testbed/target/server.hpp"

#include <gtest/gtest.h>

#include "common/io/memory_network.hpp"
#include "test_initiator.hpp"
#include "testbed/target/config.hpp"

namespace pnfs::target {
namespace {

using namespace std::chrono_literals;

constexpr uint8_t kGood = 0, kCheck = 2, kBusy = 8, kConflict = 0x18;

std::vector<uint8_t> filled(size_t bytes, uint8_t value) {
  return std::vector<uint8_t>(bytes, value);
}

struct ServerTest : ::testing::Test {
  ServerTest() {
    Config config;
    TargetSpec target;
    target.config.rules.name = "iqn.t:t";
    target.config.queue_depth = 8;
    UnitSpec unit;
    unit.type = UnitSpec::Type::memory;
    unit.size_bytes = 8 << 20;
    unit.unit.thin = true;
    unit.unit.cache = scsi::CacheMode::volatile_memory;
    target.units.push_back(unit);
    config.targets.push_back(std::move(target));
    EXPECT_TRUE(build(server, std::move(config)));
    server.serve(server_node.listen(at).value());
  }
  ~ServerTest() override {
    sim.run(server.stop());
    sim.run_for(1s);  // what is on the wire arrives
    EXPECT_EQ(sim.timers().size(), 0u) << "a timer outlives the server";
  }

  std::unique_ptr<TestInitiator> connect(uint8_t isid = 1, std::string more = "ImmediateData=Yes InitialR2T=No") {
    auto initiator = std::make_unique<TestInitiator>(sim, client_node, at);
    initiator->isid = isid;
    const Pdu reply = initiator->login(std::move(more));
    EXPECT_EQ(get16(&reply.header.raw[36]), 0);
    initiator->ready();
    return initiator;
  }

  io::Simulation sim{42};
  io::MemoryNetwork network{sim.timers(), sim.random()};
  io::Endpoint at{io::asio::ip::make_address("10.0.0.1"), 3260};
  io::Network& server_node = network.add_node("target", {io::asio::ip::make_address("10.0.0.1")});
  io::Network& client_node = network.add_node("client", {io::asio::ip::make_address("10.0.0.2")});
  Server server{sim.timers(), sim.random(), {}};
};

TEST_F(ServerTest, WhatIsWrittenIsRead) {
  const auto i = connect();
  EXPECT_EQ(i->write(5, filled(1024, 7)).status(), kGood);
  const Pdu read = i->read(5, 2);
  EXPECT_EQ(read.opcode(), Opcode::data_in);
  EXPECT_EQ(read.header.raw[1], 0x81);  // final, status
  EXPECT_EQ(read.data, filled(1024, 7));
}

TEST_F(ServerTest, TheFirstCommandOfAnInitiatorMeetsPowerOn) {
  TestInitiator i(sim, client_node, at);
  i.login();
  const Pdu reply = i.run({0, 0, 0, 0, 0, 0});
  EXPECT_EQ(reply.status(), kCheck);
  EXPECT_EQ(reply.sense(), 0x062900u);
  EXPECT_EQ(i.run({0, 0, 0, 0, 0, 0}).status(), kGood);
}

TEST_F(ServerTest, UnflushedWritesDoNotSurviveAPowerFailure) {
  auto i = connect();
  i->write(0, filled(512, 1));
  EXPECT_EQ(i->sync().status(), kGood);
  i->write(1, filled(512, 2));
  server.power_fail();
  i = connect();
  EXPECT_EQ(i->read(0, 1).data, filled(512, 1));
  EXPECT_EQ(i->read(1, 1).data, filled(512, 0));
}

TEST_F(ServerTest, DigestsAreMadeAndChecked) {
  const auto i = connect(1, "HeaderDigest=CRC32C DataDigest=CRC32C ImmediateData=Yes");
  EXPECT_EQ(i->write(0, filled(512, 3)).status(), kGood);
  EXPECT_EQ(i->read(0, 1).data, filled(512, 3));
  EXPECT_TRUE(i->digest_ok);
  const auto data = filled(512, 4);
  i->send(i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0), data, true);
  const Pdu reject = i->receive();
  EXPECT_EQ(reject.opcode(), Opcode::reject);
  EXPECT_EQ(reject.header.raw[2], 0x02);
}

TEST_F(ServerTest, DataAreAskedForInBurstsAndPlacedByOffset) {
  const auto i = connect(1, "MaxBurstLength=1024 FirstBurstLength=512 MaxOutstandingR2T=2 ImmediateData=No");
  i->send(i->command(TestInitiator::rw16(0x8a, 8, 6), 3072, 0xa0));
  const Pdu first = i->receive();
  const Pdu second = i->receive();
  ASSERT_EQ(first.opcode(), Opcode::r2t);
  ASSERT_EQ(second.opcode(), Opcode::r2t);
  EXPECT_EQ(first.header.word(40), 0u);
  EXPECT_EQ(first.header.word(44), 1024u);
  EXPECT_EQ(second.header.word(40), 1024u);
  i->send(i->data_out(second, 0, 1024, true), filled(1024, 2));  // the second first
  const Pdu third = i->receive();
  ASSERT_EQ(third.opcode(), Opcode::r2t);
  i->send(i->data_out(first, 0, 0, false), filled(512, 1));
  i->send(i->data_out(first, 1, 512, true), filled(512, 1));
  i->send(i->data_out(third, 0, 2048, true), filled(1024, 3));
  EXPECT_EQ(i->receive().status(), kGood);
  const Pdu read = i->read(8, 6);
  EXPECT_EQ(read.data[0], 1);
  EXPECT_EQ(read.data[1023], 1);
  // MaxBurstLength 1024 holds for Data-In too, as one PDU each.
  EXPECT_EQ(read.data.size(), 1024u);
}

TEST_F(ServerTest, UnsolicitedDataFollowTheCommand) {
  const auto i = connect();
  const auto data = filled(4096, 9);
  Header h = i->command(TestInitiator::rw16(0x8a, 0, 8), 4096, 0x20);  // not final: more comes unasked
  i->send(h, ConstBytes(data).first(1024));
  Pdu as_if;
  as_if.header = h;
  as_if.header.set_transfer_tag(kReservedTag);
  i->send(i->data_out(as_if, 0, 1024, true), ConstBytes(data).subspan(1024));
  EXPECT_EQ(i->receive().status(), kGood);
  EXPECT_EQ(i->read(0, 8).data, data);
}

TEST_F(ServerTest, AGapInDataNumbersFailsTheCommandAndNothingIsWritten) {
  const auto i = connect(1, "ImmediateData=No");
  i->send(i->command(TestInitiator::rw16(0x8a, 0, 2), 1024, 0xa0));
  const Pdu r2t = i->receive();
  i->send(i->data_out(r2t, 1, 0, false), filled(512, 1));
  const Pdu reply = i->receive();
  EXPECT_EQ(reply.status(), kCheck);
  EXPECT_EQ(reply.sense() >> 16, 0x0bu);
  i->send(i->data_out(r2t, 2, 512, true), filled(512, 1));  // late data are dropped
  EXPECT_EQ(i->read(0, 2).data, filled(1024, 0));
}

TEST_F(ServerTest, CommandsWaitForTheirTurn) {
  const auto i = connect();
  i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0);  // takes its number and is never sent
  i->send(i->command(TestInitiator::rw16(0x88, 0, 1), 512, 0xc0));
  EXPECT_TRUE(i->silent());
}

TEST_F(ServerTest, HeldCommandsRunInOrderOnceTheGapCloses) {
  const auto i = connect();
  Header write = i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0);
  Header read = i->command(TestInitiator::rw16(0x88, 0, 1), 512, 0xc0);
  i->send(read);
  i->send(write, filled(512, 6));
  EXPECT_EQ(i->receive().header.task_tag(), write.task_tag());
  EXPECT_EQ(i->receive().data, filled(512, 6));
}

TEST_F(ServerTest, NumbersOutsideTheWindowAreIgnored) {
  const auto i = connect();
  Header h = i->command({0, 0, 0, 0, 0, 0}, 0, 0x80);
  h.set_word(24, h.cmd_sn() + 8);
  i->send(h);
  EXPECT_TRUE(i->silent());
}

TEST_F(ServerTest, ResidualsSayWhatDidNotFit) {
  const auto i = connect();
  const Pdu over = i->run(TestInitiator::rw16(0x88, 0, 2), 512, TestInitiator::kRead);
  EXPECT_EQ(over.data.size(), 512u);
  EXPECT_EQ(over.header.raw[1] & 0x06, 0x04);
  EXPECT_EQ(over.header.word(44), 512u);
  const Pdu under = i->run(TestInitiator::rw16(0x88, 0, 1), 2048, TestInitiator::kRead);
  EXPECT_EQ(under.header.raw[1] & 0x06, 0x02);
  EXPECT_EQ(under.header.word(44), 1536u);
}

TEST_F(ServerTest, TheSameInitiatorPortReplacesItsSession) {
  const auto old = connect(1);
  auto fresh = std::make_unique<TestInitiator>(sim, client_node, at);
  fresh->login();
  EXPECT_TRUE(old->receive().lost);
  EXPECT_EQ(fresh->run({0, 0, 0, 0, 0, 0}).sense(), 0x062907u);
}

TEST_F(ServerTest, ALunResetEndsOthersTasksAndTellsEverybody) {
  const auto a = connect(1, "ImmediateData=No");
  const auto b = connect(2);
  a->send(a->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0));
  const Pdu r2t = a->receive();
  EXPECT_EQ(b->manage(5).header.raw[2], 0);
  a->send(a->data_out(r2t, 0, 0, true), filled(512, 1));
  EXPECT_TRUE(a->silent());
  EXPECT_EQ(b->run({0, 0, 0, 0, 0, 0}).sense(), 0x062903u);
  EXPECT_EQ(b->read(0, 1).data, filled(512, 0));
}

TEST_F(ServerTest, AnAbortedWriteIsNotCarriedOut) {
  const auto i = connect(1, "ImmediateData=No");
  const Header h = i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0);
  i->send(h);
  const Pdu r2t = i->receive();
  EXPECT_EQ(i->manage(1, h.task_tag(), h.cmd_sn()).header.raw[2], 0);
  i->send(i->data_out(r2t, 0, 0, true), filled(512, 1));
  EXPECT_EQ(i->manage(1, h.task_tag(), h.cmd_sn()).header.raw[2], 1);
  EXPECT_EQ(i->read(0, 1).data, filled(512, 0));
}

struct ReservedTest : ServerTest {
  Pdu reserve_out(TestInitiator& i, uint8_t action, uint8_t type, uint64_t key, uint64_t service_key) {
    std::vector<uint8_t> cdb(10);
    cdb[0] = 0x5f;
    cdb[1] = action;
    cdb[2] = type;
    put32(&cdb[5], 24);
    std::vector<uint8_t> data(24);
    put64(&data[0], key);
    put64(&data[8], service_key);
    return i.run(cdb, 24, TestInitiator::kWrite, data);
  }
};

TEST_F(ReservedTest, AFencedNodeWritesNothingMoreNotEvenWhatWasOnItsWay) {
  const auto mds = connect(1);
  const auto ds = connect(2, "ImmediateData=No InitialR2T=Yes");
  EXPECT_EQ(reserve_out(*mds, 0, 0, 0, 0x11).status(), kGood);
  // The DS registers with data that have to be asked for.
  std::vector<uint8_t> cdb(10);
  cdb[0] = 0x5f;
  put32(&cdb[5], 24);
  std::vector<uint8_t> data(24);
  put64(&data[8], 0x22);
  ds->send(ds->command(cdb, 24, 0xa0));
  Pdu r2t = ds->receive();
  ds->send(ds->data_out(r2t, 0, 0, true), data);
  EXPECT_EQ(ds->receive().status(), kGood);
  EXPECT_EQ(reserve_out(*mds, 1, 5, 0x11, 0).status(), kGood);  // write exclusive, registrants only

  ds->send(ds->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0));
  r2t = ds->receive();
  ASSERT_EQ(r2t.opcode(), Opcode::r2t);
  EXPECT_EQ(reserve_out(*mds, 5, 5, 0x11, 0x22).status(), kGood);  // preempt and abort
  ds->send(ds->data_out(r2t, 0, 0, true), filled(512, 1));
  EXPECT_EQ(ds->run({0, 0, 0, 0, 0, 0}).sense(), 0x062a05u);
  EXPECT_EQ(ds->run(TestInitiator::rw16(0x8a, 0, 1), 512, TestInitiator::kWrite).status(), kConflict);
  EXPECT_EQ(mds->read(0, 1).data, filled(512, 0));
}

TEST_F(ServerTest, SilenceIsAskedAboutAndThenEnds) {
  const auto i = connect();
  sim.run_for(31s);
  const Pdu ping = i->receive();
  EXPECT_EQ(ping.opcode(), Opcode::nop_in);
  Header pong;
  pong.set_opcode(Opcode::nop_out, 0x80);
  pong.raw[0] |= 0x40;
  pong.set_task_tag(kReservedTag);
  pong.set_transfer_tag(ping.header.transfer_tag());
  pong.set_word(24, i->cmd_sn);
  i->send(pong);
  sim.run_for(20s);
  EXPECT_EQ(i->read(0, 1).status(), kGood);
  sim.run_for(200s);
  while (true) {
    const Pdu pdu = i->receive();
    if (pdu.lost) break;
    EXPECT_EQ(pdu.opcode(), Opcode::nop_in);
  }
}

TEST_F(ServerTest, ALoginThatNeverEndsIsEnded) {
  TestInitiator i(sim, client_node, at);
  i.send_bytes(filled(20, 0x43));
  sim.run_for(16s);
  EXPECT_TRUE(i.receive().lost);
}

TEST_F(ServerTest, GarbageEndsOnlyItsOwnConnection) {
  const auto good = connect(9);
  for (int round = 0; round < 200; ++round) {
    TestInitiator bad(sim, client_node, at);
    if (round % 2) {
      bad.isid = 3;
      bad.login();
    }
    std::vector<uint8_t> noise(48 + sim.random().below(400));
    sim.random().fill(std::as_writable_bytes(std::span(noise)));
    if (round % 4 == 3) noise[0] = static_cast<uint8_t>(sim.random().below(7));
    if (round % 8 == 7) noise[5] = 0;
    bad.send_bytes(noise);
    sim.run_for(1ms);
    bad.close();
  }
  EXPECT_EQ(good->read(0, 1).status(), kGood);
}

TEST_F(ServerTest, ASegmentLargerThanAgreedEndsTheConnection) {
  const auto i = connect();
  Header h = i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0);
  h.set_data_bytes(300000);
  i->send_bytes(h.raw);
  EXPECT_TRUE(i->receive().lost);
}

struct Rule final : FaultHook {
  uint8_t opcode = 0;
  FaultAction action;
  FaultAction on_command(const FaultQuery& query) override { return query.opcode == opcode ? action : FaultAction{}; }
};

struct FaultTest : ServerTest {
  FaultTest() { server.set_fault_hook(&rule); }
  void on(uint8_t opcode, FaultAction::Kind kind) {
    rule.opcode = opcode;
    rule.action.kind = kind;
  }
  Rule rule;
};

TEST_F(FaultTest, StatusAndSenseInsteadOfTheCommand) {
  const auto i = connect();
  on(0x8a, FaultAction::Kind::status);
  EXPECT_EQ(i->write(0, filled(512, 1)).status(), kBusy);
  on(0x88, FaultAction::Kind::check_condition);
  rule.action.key = scsi::SenseKey::medium_error;
  rule.action.asc = scsi::Asc::unrecovered_read_error;
  EXPECT_EQ(i->read(0, 1).sense(), 0x031100u);
  rule.opcode = 0;
  EXPECT_EQ(i->read(0, 1).data, filled(512, 0));
}

TEST_F(FaultTest, ATornWriteLeavesItsBeginning) {
  const auto i = connect();
  on(0x8a, FaultAction::Kind::torn_write);
  rule.action.bytes = 512;
  EXPECT_EQ(i->write(0, filled(1024, 1)).status(), kCheck);
  const auto data = i->read(0, 2).data;
  EXPECT_EQ(data[511], 1);
  EXPECT_EQ(data[512], 0);
}

TEST_F(FaultTest, ADelayedWriteKeepsItsData) {
  const auto i = connect();
  on(0x8a, FaultAction::Kind::delay);
  rule.action.delay = 3s;
  i->send(i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0), filled(512, 5));
  EXPECT_EQ(i->read(0, 1).data, filled(512, 0));
  const TimePoint before = sim.now();
  EXPECT_EQ(i->receive().status(), kGood);
  EXPECT_GE(sim.now() - before, 2s);
  EXPECT_EQ(i->read(0, 1).data, filled(512, 5));
}

TEST_F(FaultTest, AFlushThatLiesLosesData) {
  auto i = connect();
  on(0x91, FaultAction::Kind::lie);
  i->write(0, filled(512, 1));
  EXPECT_EQ(i->sync().status(), kGood);
  server.power_fail();
  rule.opcode = 0;
  i = connect();
  EXPECT_EQ(i->read(0, 1).data, filled(512, 0));
}

TEST_F(FaultTest, ConnectionsAreResetAndAnswersDropped) {
  auto i = connect();
  on(0x8a, FaultAction::Kind::drop_answer);
  i->send(i->command(TestInitiator::rw16(0x8a, 0, 1), 512, 0xa0), filled(512, 5));
  EXPECT_EQ(i->read(0, 1).data, filled(512, 5));
  on(0x88, FaultAction::Kind::reset_connection);
  EXPECT_TRUE(i->read(0, 1).lost);
}

}  // namespace
}  // namespace pnfs::target
