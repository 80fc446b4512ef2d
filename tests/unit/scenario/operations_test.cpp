// The scenarios without a kernel (testbed/scenarios/operations): they pass, each of their expectations can fail, and
// every operation that a server offers has a planted bug that turns its scenario red.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "common/compound/fault_points.hpp"
#include "common/fault/rule.hpp"
#include "common/nfs/op_info.hpp"
#include "testbed/lab/fault_rules.hpp"
#include "testbed/scenario/cluster_play.hpp"
#include "testbed/scenario/self_test.hpp"

namespace pnfs::scenario {
namespace {

// What a server of this project never sends: optional callbacks, and the one that stands for an illegal operation.
const std::set<std::string> kNeverSent = {"CB_NOTIFY",          "CB_PUSH_DELEG", "CB_RECALLABLE_OBJ_AVAIL",
                                          "CB_WANTS_CANCELLED", "CB_RECALL_ANY", "CB_ILLEGAL"};

struct Operations : ::testing::Test {
  std::vector<Scenario> scenarios;
  void SetUp() override {
    const auto folder = std::filesystem::path(__FILE__).parent_path() / "../../../testbed/scenarios/operations";
    auto loaded = load_all({folder.string()});
    ASSERT_TRUE(loaded) << loaded.error().reason;
    scenarios = std::move(*loaded);
  }
  static Outcome play(const Scenario& scenario) {
    Outcome outcome{.scenario = &scenario};
    auto played = play_in_cluster(scenario, 0, "");
    if (!played) {
      outcome.problems.push_back(played.error().reason);
      return outcome;
    }
    outcome.observed = std::move(*played);
    outcome.problems = judge(scenario, outcome.observed);
    outcome.verdict = outcome.problems.empty() ? Verdict::passed : Verdict::failed;
    return outcome;
  }
};

TEST_F(Operations, PassAndTheirExpectationsCanFail) {
  for (const Scenario& scenario : scenarios) {
    const Outcome outcome = play(scenario);
    EXPECT_EQ(outcome.verdict, Verdict::passed)
        << scenario.id << ": " << fmt::format("{}", fmt::join(outcome.problems, "\n"));
    EXPECT_EQ(expectations_that_cannot_fail(outcome), std::vector<std::string>{}) << scenario.id;
  }
}

TEST_F(Operations, FailWithoutTheirFaults) {
  for (const Scenario& less : with_each_fault_left_out(scenarios)) {
    const Outcome outcome = play(less);
    EXPECT_EQ(outcome.verdict, Verdict::failed) << less.id << ": " << less.title;
    EXPECT_EQ(survives(outcome), "");
  }
}

TEST_F(Operations, EveryPlantedBugIsNoticed) {
  for (const Scenario& with : with_each_bug_planted(scenarios)) {
    const Outcome outcome = play(with);
    EXPECT_EQ(outcome.verdict, Verdict::failed) << with.id << ": " << with.bug_planted;
    EXPECT_EQ(survives(outcome), "") << with.id;
  }
}

TEST_F(Operations, EveryOperationHasAPlantedBug) {
  std::set<std::string> planted;
  for (const Scenario& scenario : scenarios) {
    for (const FaultLine& bug : scenario.planted) {
      const auto rule = fault::parse_rule(bug.rule, lab::lab_vocabulary());
      ASSERT_TRUE(rule) << bug.rule;
      for (const fault::Point* point : rule->points) planted.insert(point->name);
    }
  }
  for (const auto table : {nfs::operations(), nfs::callbacks()})
    for (const nfs::OpInfo& op : table)
      if (!op.retired && op.number != nfs::OP_ILLEGAL && !kNeverSent.contains(std::string(op.name)))
        EXPECT_TRUE(planted.contains(std::string(op.name))) << op.name << " has no planted bug in operations/*.scn";
}

// The same seed, the same run.
TEST_F(Operations, AreTheSameTwice) {
  const Scenario& scenario = scenarios.front();
  const Outcome first = play(scenario), second = play(scenario);
  ASSERT_EQ(first.observed.events.size(), second.observed.events.size());
  for (size_t i = 0; i < first.observed.events.size(); ++i) {
    const trace::OwnedEvent& a = first.observed.events[i];
    const trace::OwnedEvent& b = second.observed.events[i];
    EXPECT_EQ(std::tie(a.ts.seconds, a.ts.nanoseconds, a.node, a.op, a.status, a.args),
              std::tie(b.ts.seconds, b.ts.nanoseconds, b.node, b.op, b.status, b.args));
  }
  EXPECT_EQ(first.observed.clients[0].output, second.observed.clients[0].output);
}

}  // namespace
}  // namespace pnfs::scenario
