#include "testbed/scenario/scenario.hpp"

#include <gtest/gtest.h>

namespace pnfs::scenario {
namespace {

constexpr std::string_view kText = R"(id: lget-001
title: BADIOMODE for writing
tags: layout slow

Why this is so.

[lab]
profile = dlm-2014
data-servers = 3

[faults]
mds: after LAYOUTGET return NFS4ERR_IO

[client]
echo hello

[expect]
exit 0
count mds LAYOUTGET status=NFS4ERR_BADIOMODE iomode=RW >= 1
never ds* WRITE
order mds OPEN, mds CLOSE
output has Input/output error
)";

trace::OwnedEvent event(std::string node, std::string op, std::string status = "NFS4_OK") {
  trace::OwnedEvent e;
  e.node = std::move(node);
  e.op = std::move(op);
  e.status = std::move(status);
  return e;
}

TEST(Scenario, ReadsEverySection) {
  const auto scenario = parse_scenario(kText, "a.scn");
  ASSERT_TRUE(scenario) << scenario.error().reason;
  EXPECT_EQ(scenario->id, "lget-001");
  EXPECT_EQ(scenario->profile, "dlm-2014");
  EXPECT_EQ(scenario->data_servers, 3u);
  EXPECT_TRUE(scenario->has_tag("slow"));
  EXPECT_EQ(scenario->faults.at(0).node, "mds");
  EXPECT_EQ(scenario->script, "echo hello\n\n");
  EXPECT_EQ(scenario->expectations.size(), 5u);
}

TEST(Scenario, ProblemsNameFileAndLine) {
  auto problem = [](std::string_view text) {
    const auto scenario = parse_scenario(text, "a.scn");
    return scenario ? std::string() : scenario.error().reason;
  };
  EXPECT_TRUE(problem("id: x\n[lab]\nprofle = y\n").starts_with("a.scn:3: 'profle'"));
  EXPECT_TRUE(problem("id: x\n[expct]\n").starts_with("a.scn:2:"));
  EXPECT_TRUE(problem("id: x\n[expect]\ncount mds OPEN\n").starts_with("a.scn:3:"));
  EXPECT_TRUE(problem("id: x\n[expect]\nnever mds OPEN statsu=1\n").starts_with("a.scn:3: 'statsu'"));
  EXPECT_EQ(problem("id: x\n[client]\ntrue\n"), "a.scn: expects nothing; add an [expect] section");
}

TEST(Expectation, CountsOrdersAndSaysWhatWasSeenInstead) {
  Observed run;
  run.events = {event("mds", "OPEN"), event("mds", "LAYOUTGET", "NFS4ERR_BADIOMODE"), event("ds1", "READ")};
  auto verdict = [&](std::string_view line) { return unmet(parse_expectation(line).value(), run); };
  EXPECT_EQ(verdict("count mds LAYOUTGET status=NFS4ERR_BADIOMODE == 1"), "");
  EXPECT_EQ(verdict("count mds LAYOUTGET status=NFS4ERR_* >= 1"), "");
  EXPECT_EQ(verdict("never ds* WRITE"), "");
  EXPECT_EQ(verdict("order mds OPEN, mds LAYOUTGET, ds* READ"), "");
  EXPECT_NE(verdict("order mds LAYOUTGET, mds OPEN"), "");
  EXPECT_NE(verdict("never ds* READ"), "");
  const std::string seen = verdict("count mds LAYOUTGET status=NFS4_OK >= 1");
  EXPECT_NE(seen.find("NFS4ERR_BADIOMODE"), std::string::npos) << seen;
  run.exit_code = 3;
  EXPECT_NE(verdict("exit 0"), "");
  EXPECT_EQ(verdict("exit 3"), "");
}

}  // namespace
}  // namespace pnfs::scenario
