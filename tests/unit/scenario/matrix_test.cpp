#include "testbed/scenario/matrix.hpp"

#include <gtest/gtest.h>

namespace pnfs::scenario {
namespace {

struct MatrixTest : ::testing::Test {
  Scenario one{.id = "replay-01", .title = "a title", .bug = "a bug"}, two{.id = "replay-02", .title = "its title"};
  std::vector<KernelColumn> columns;
  static Outcome outcome(const Scenario& scenario, Verdict verdict, std::string release, std::string problem = "") {
    Outcome o{.scenario = &scenario, .verdict = verdict, .kernel_release = std::move(release)};
    if (!problem.empty()) o.problems.push_back(std::move(problem));
    return o;
  }
  void SetUp() override {
    one.verdicts = {{{6, 1, 176}, true}};
    columns = {{"installed", {outcome(one, Verdict::known_bad, "6.1.176"), outcome(two, Verdict::passed, "6.1.176")}},
               {"debian-6.12", {outcome(one, Verdict::passed, "6.12.113"), outcome(two, Verdict::skipped, "")}}};
  }
};

TEST_F(MatrixTest, ARowForEachScenarioAndAColumnForEachKernel) {
  EXPECT_EQ(to_matrix(columns),
            "            6.1.176  6.12.113  bug\n"
            "replay-01   red      green     a bug\n"
            "replay-02   green    -         its title\n"
            "\n"
            "all as known (red: fails, as known of this kernel; green: passes; -: not for it)\n");
}

TEST_F(MatrixTest, SaysBelowWhatIsNotAsKnown) {
  columns[0].outcomes[0] = outcome(one, Verdict::failed, "6.1.176", "a.scn: it passes on 6.1.176\nmore");
  columns[0].outcomes[0].passed_as_red = true;
  columns[1].outcomes[0] = outcome(one, Verdict::failed, "6.12.113", "a.scn:3: expected");
  columns[1].outcomes[1] = outcome(two, Verdict::not_tested, "", "it did not boot");
  const std::string text = to_matrix(columns);
  EXPECT_NE(text.find("replay-01   GREEN!   RED!      a bug\n"), std::string::npos) << text;
  EXPECT_TRUE(
      text.ends_with("not as known:\n"
                     "replay-01 on 6.1.176 (GREEN!): a.scn: it passes on 6.1.176\n"
                     "replay-01 on 6.12.113 (RED!): a.scn:3: expected\n"
                     "replay-02 on 6.12.113 (?): it did not boot\n"))
      << text;
}

// A rule that never acted, say: not the known reason, and no success.
TEST_F(MatrixTest, RedForAnotherReasonIsNotGreen) {
  columns[0].outcomes[0] = outcome(one, Verdict::failed, "6.1.176", "a.scn:9: the rule never acted");
  EXPECT_NE(to_matrix(columns).find("replay-01   RED!     green"), std::string::npos) << to_matrix(columns);
}

}  // namespace
}  // namespace pnfs::scenario
