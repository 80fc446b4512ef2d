#include "testbed/target/rule_hook.hpp"

#include <gtest/gtest.h>

#include "common/fault/engine.hpp"

namespace pnfs::target {
namespace {

struct RuleHookTest : ::testing::Test {
  fault::Vocabulary vocabulary;
  ManualClock clock;
  RuleHookTest() { add_scsi_points(vocabulary); }

  FaultAction ask(std::string_view rule, std::string_view command = "WRITE(10)", uint64_t lba = 0) {
    fault::Engine engine(vocabulary, clock, {.node = "target"});
    const auto added = engine.add(rule);
    EXPECT_TRUE(added) << added.error().reason;
    RuleHook hook(engine);
    return hook.on_command({.target = "t", .initiator = "iqn.2014:ds1", .name = command, .lba = lba, .blocks = 8});
  }
};

TEST_F(RuleHookTest, EachActionBecomesTheTargets) {
  using Kind = FaultAction::Kind;
  const FaultAction sense = ask("before scsi.WRITE(10) do return WRITE_ERROR");
  EXPECT_EQ(sense.kind, Kind::check_condition);
  EXPECT_EQ(sense.key, scsi::SenseKey::medium_error);
  EXPECT_EQ(sense.asc, scsi::Asc::write_error);
  EXPECT_EQ(ask("before scsi.WRITE(10) do return CAPACITY_CHANGED").asc, scsi::Asc::capacity_changed);
  EXPECT_EQ(ask("before scsi.WRITE(10) do return BUSY").status, scsi::Status::busy);
  EXPECT_EQ(ask("before scsi.WRITE(10) do delay 2s").delay, std::chrono::seconds(2));
  EXPECT_EQ(ask("before scsi.WRITE(10) do drop request").kind, Kind::drop);
  EXPECT_EQ(ask("before scsi.WRITE(10) do drop reply").kind, Kind::drop_answer);
  EXPECT_EQ(ask("before scsi.WRITE(10) do reset").kind, Kind::reset_connection);
  EXPECT_EQ(ask("before scsi.WRITE(10) do torn 512").bytes, 512u);
  EXPECT_EQ(ask("before scsi.WRITE(10) do short 512").kind, Kind::short_transfer);
  EXPECT_EQ(ask("before scsi.WRITE(10) do lie").kind, Kind::lie);
  EXPECT_EQ(ask("before scsi.WRITE(10) do lose-cache").kind, Kind::lose_cache);
  EXPECT_EQ(ask("before scsi.WRITE(10) do logout").kind, Kind::async_logout);
}

TEST_F(RuleHookTest, OnlyWhereAndWhenTheRuleSays) {
  using Kind = FaultAction::Kind;
  EXPECT_EQ(ask("before scsi.WRITE(10) do reset", "READ(10)").kind, Kind::none);
  EXPECT_EQ(ask("before scsi.test_unit_ready do return NOT_READY", "TEST UNIT READY").kind, Kind::check_condition);
  EXPECT_EQ(ask("before scsi.WRITE* client=*ds2 do reset").kind, Kind::none);
  EXPECT_EQ(ask("before scsi.WRITE(10) range=100-199 do reset", "WRITE(10)", 93).kind, Kind::reset_connection);
  EXPECT_EQ(ask("before scsi.WRITE(10) range=100-199 do reset", "WRITE(10)", 92).kind, Kind::none);
}

}  // namespace
}  // namespace pnfs::target
