#include "testbed/scenario/host_faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbed/scenario/scenario.hpp"

namespace pnfs::scenario {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kHead =
    "id: x\n[lab]\ntopology = hosts\n[hosts]\nat start do refuse ds1 on nfs\n"
    "when output has now do it do heal ds1\n[client]\ntrue\n[expect]\nexit 0\n";

TEST(HostFaults, AreReadWithTheirTurn) {
  const auto scenario = parse_scenario(kHead, "x.scn");
  ASSERT_TRUE(scenario) << scenario.error().reason;
  EXPECT_EQ(scenario->topology, "hosts");
  ASSERT_EQ(scenario->host_faults.size(), 2u);
  EXPECT_EQ(scenario->host_faults[0].trigger, "");
  EXPECT_EQ(scenario->host_faults[1].trigger, "now do it");
  EXPECT_EQ(scenario->host_faults[1].line, 6u);
}

TEST(HostFaults, ProblemsNameFileAndLine) {
  const auto bad = parse_scenario("id: x\n[hosts]\nafter a while do heal\n[client]\ntrue\n[expect]\nexit 0\n", "x.scn");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().reason, HasSubstr("x.scn:3: 'after a while do heal': expected 'at start do FAULT'"));
}

TEST(HostFaults, OneWhoseTurnNeverCameFailsTheScenario) {
  lab::LabState nowhere;
  const auto scenario = parse_scenario(kHead, "x.scn");
  HostFaultPlayer player(nowhere, scenario->host_faults);
  // Without hosts no fault can be brought about, and that is said.
  const auto started = player.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().reason, HasSubstr("--topology hosts"));
  player.on_output("not yet");
  EXPECT_THAT(player.never_acted(), ElementsAre(6u));
  player.on_output("not yet, now do it");
  EXPECT_TRUE(player.never_acted().empty());
}

}  // namespace
}  // namespace pnfs::scenario
