#include "testbed/scenario/expectation.hpp"

#include <gtest/gtest.h>

#include "testbed/scenario/runner.hpp"

namespace pnfs::scenario {
namespace {

trace::OwnedEvent event(std::string node, std::string op, std::string status = "NFS4_OK", int64_t second = 0) {
  trace::OwnedEvent e;
  e.node = std::move(node);
  e.op = std::move(op);
  e.status = std::move(status);
  e.ts = {second, 0};
  return e;
}

struct ExpectationTest : ::testing::Test {
  Observed run;
  ExpectationTest() {
    run.kernel_release = "6.1.176-um";
    run.events = {event("mds", "OPEN", "NFS4_OK", 1), event("mds", "LAYOUTGET", "NFS4ERR_BADIOMODE", 2),
                  event("ds1", "READ", "NFS4_OK", 5)};
    run.events[2].bytes = 4096;
    run.clients.resize(2);
    run.clients[0] = {.output = "Input/output error\n", .mountstats = "\t   LAYOUTGET: 3 3 0 1\n"};
    run.clients[1] = {.exit_code = 3};
  }
  std::string verdict(std::string_view line) {
    const auto parsed = parse_expectation(line);
    if (!parsed) return "parse: " + parsed.error().reason;
    return applies(*parsed, run) ? unmet(*parsed, run) : "";
  }
};

TEST_F(ExpectationTest, Counts) {
  EXPECT_EQ(verdict("count mds LAYOUTGET status=NFS4ERR_BADIOMODE == 1"), "");
  EXPECT_EQ(verdict("count mds LAYOUTGET status=NFS4ERR_* >= 1"), "");
  EXPECT_EQ(verdict("count ds* READ bytes>=4096 <= 1"), "");
  EXPECT_EQ(verdict("never ds* WRITE"), "");
  EXPECT_NE(verdict("never ds* READ"), "");
  const std::string seen = verdict("count mds LAYOUTGET status=NFS4_OK >= 1");
  EXPECT_NE(seen.find("NFS4ERR_BADIOMODE"), std::string::npos) << seen;
}

TEST_F(ExpectationTest, EventsOfFaultsAreNotOperations) {
  run.events.push_back(event("mds", "LAYOUTGET"));
  run.events.back().kind = trace::Kind::fault;
  EXPECT_EQ(verdict("count mds LAYOUTGET == 1"), "");
  EXPECT_EQ(verdict("count mds LAYOUTGET kind=fault == 1"), "");
}

TEST_F(ExpectationTest, OrderAndTime) {
  EXPECT_EQ(verdict("order mds OPEN, mds LAYOUTGET, ds* READ"), "");
  EXPECT_NE(verdict("order mds LAYOUTGET, mds OPEN"), "");
  EXPECT_EQ(verdict("within 4s mds OPEN, ds1 READ"), "");
  EXPECT_NE(verdict("within 3s mds OPEN, ds1 READ"), "");
  EXPECT_EQ(verdict("no sooner than 4s mds OPEN, ds1 READ"), "");
  EXPECT_NE(verdict("no sooner than 5s mds OPEN, ds1 READ"), "");
  EXPECT_NE(verdict("within 3s mds OPEN, ds1 WRITE"), "");
}

TEST_F(ExpectationTest, NeverBetween) {
  EXPECT_EQ(verdict("never ds* READ between mds OPEN, mds LAYOUTGET"), "");
  EXPECT_EQ(verdict("never mds OPEN between mds OPEN, ds1 READ"), "") << "the ends are not between";
  const std::string seen = verdict("never mds LAYOUTGET status!=OK between mds OPEN, ds1 READ");
  EXPECT_NE(seen.find("mds LAYOUTGET status=NFS4ERR_BADIOMODE"), std::string::npos) << seen;
  EXPECT_NE(verdict("never ds* READ between mds CLOSE, mds LAYOUTGET"), "") << "an end that was not seen";
  EXPECT_NE(verdict("never ds* READ between mds OPEN, mds CLOSE"), "");
  EXPECT_TRUE(verdict("never ds* READ between mds OPEN").starts_with("parse: expected two patterns"));
}

TEST_F(ExpectationTest, ClientsEachHaveTheirOwn) {
  EXPECT_EQ(verdict("exit 0"), "");
  EXPECT_NE(verdict("exit 3"), "");
  EXPECT_EQ(verdict("client 2: exit 3"), "");
  EXPECT_EQ(verdict("output has Input/output error"), "");
  EXPECT_NE(verdict("client 2: output has Input/output error"), "");
  EXPECT_EQ(verdict("client 2: output lacks Input/output error"), "");
  EXPECT_EQ(verdict("mountstats count LAYOUTGET == 3"), "");
  EXPECT_NE(verdict("mountstats count LAYOUTGET == 2"), "");
  EXPECT_EQ(verdict("kernel log is clean"), "");
  run.clients[1].kernel_problems = {"BUG: something"};
  EXPECT_NE(verdict("kernel log is clean"), "");
}

TEST_F(ExpectationTest, OnlyOnTheKernelsItNames) {
  EXPECT_EQ(verdict("kernel >= 6.2: exit 9"), "");
  EXPECT_EQ(verdict("kernel < 6.1.176: exit 9"), "");
  EXPECT_NE(verdict("kernel >= 6.1.176: exit 9"), "");
  EXPECT_NE(verdict("kernel >= 5.10: kernel < 6.2: exit 9"), "");
  EXPECT_TRUE(verdict("kernel = 6.2: exit 9").starts_with("parse: "));
}

TEST_F(ExpectationTest, OfAnExternalClientNotAllCanBeSeen) {
  run.from_outside = true;
  run.kernel_release.clear();
  const auto visible = [&](std::string_view line) { return is_visible(*parse_expectation(line), run); };
  EXPECT_TRUE(visible("exit 0"));
  EXPECT_TRUE(visible("never ds* WRITE"));
  EXPECT_FALSE(visible("kernel log is clean"));
  EXPECT_FALSE(visible("mountstats count LAYOUTGET == 3"));
  EXPECT_FALSE(visible("kernel < 6.2: exit 9"));
  run.kernel_release = "6.8";
  EXPECT_TRUE(visible("kernel < 6.2: exit 9"));
  Scenario scenario;
  scenario.expectations = {*parse_expectation("mountstats has never"), *parse_expectation("kernel < 6.2: exit 9")};
  EXPECT_TRUE(judge(scenario, run).empty());
}

TEST_F(ExpectationTest, InvertedTheyFail) {
  for (const char* line :
       {"exit 0", "output has Input", "output lacks xyzzy", "count mds OPEN == 1", "never ds* WRITE",
        "never ds1 READ between mds OPEN, mds LAYOUTGET", "count mds OPEN >= 1", "count mds OPEN <= 1",
        "order mds OPEN, ds1 READ", "within 5s mds OPEN, ds1 READ", "no sooner than 2s mds OPEN, ds1 READ",
        "mountstats count LAYOUTGET == 3", "kernel log is clean"}) {
    const auto expectation = parse_expectation(line);
    ASSERT_TRUE(expectation) << line;
    EXPECT_EQ(unmet(*expectation, run), "") << line;
    EXPECT_NE(unmet(inverted(*expectation), run), "") << line;
  }
}

TEST_F(ExpectationTest, ARuleThatNeverActedFailsTheScenario) {
  Scenario scenario;
  scenario.file = "a.scn";
  scenario.faults = {{7, "on mds before OPEN do close"}};
  EXPECT_EQ(judge(scenario, run).size(), 1u);
  run.events.push_back(event("mds", "OPEN"));
  run.events.back().kind = trace::Kind::fault;
  run.events.back().fault = "rule 1: on mds before OPEN do close";
  EXPECT_TRUE(judge(scenario, run).empty());
}

}  // namespace
}  // namespace pnfs::scenario
