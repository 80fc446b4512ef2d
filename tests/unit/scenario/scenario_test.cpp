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
# in the language of RULES.md
on mds after LAYOUTGET do return NFS4ERR_IO

[client]
echo hello

[client 2]
echo world

[expect]
exit 0
client 2: exit 0
count mds LAYOUTGET status=NFS4ERR_BADIOMODE iomode=RW >= 1
never ds* WRITE
kernel >= 6.2: order mds OPEN, mds CLOSE
output has Input/output error
)";

TEST(Scenario, ReadsEverySection) {
  const auto scenario = parse_scenario(kText, "a.scn");
  ASSERT_TRUE(scenario) << scenario.error().reason;
  EXPECT_EQ(scenario->id, "lget-001");
  EXPECT_EQ(scenario->profile, "dlm-2014");
  EXPECT_EQ(scenario->data_servers, 3u);
  EXPECT_TRUE(scenario->has_tag("slow"));
  ASSERT_EQ(scenario->faults.size(), 1u);
  EXPECT_EQ(scenario->faults[0].rule, "on mds after LAYOUTGET do return NFS4ERR_IO");
  EXPECT_EQ(scenario->faults[0].line, 13u);
  EXPECT_EQ(scenario->clients, (std::vector<std::string>{"echo hello\n\n", "echo world\n\n"}));
  ASSERT_EQ(scenario->expectations.size(), 6u);
  EXPECT_EQ(scenario->expectations[1].client, 2u);
  EXPECT_EQ(scenario->expectations[4].since, (Version{6, 2}));
}

TEST(Scenario, KnowsWhatPackagedKernelsMakeOfIt) {
  const auto scenario = parse_scenario(
      "id: replay\nbug: a bug (abcdef)\n[client]\ntrue\n[expect]\nexit 0\n"
      "[kernels]\n5.10.46 green\n6.1.176 red\n6.1.178 green\n6.12.101 red\n7.3.4 green\n",
      "a.scn");
  ASSERT_TRUE(scenario) << scenario.error().reason;
  EXPECT_EQ(scenario->bug, "a bug (abcdef)");
  EXPECT_EQ(scenario->known_red("5.10.46"), false);
  EXPECT_EQ(scenario->known_red("6.1.176-um"), true);
  EXPECT_EQ(scenario->known_red("6.1.177"), true) << "until the next line of the series";
  EXPECT_EQ(scenario->known_red("6.1.192"), false);
  EXPECT_EQ(scenario->known_red("6.12.113"), true);
  EXPECT_EQ(scenario->known_red("6.1.100"), std::nullopt) << "older than what is known of its series";
  EXPECT_EQ(scenario->known_red("6.16.3"), std::nullopt);
  EXPECT_EQ(scenario->known_red(""), std::nullopt);
}

TEST(Scenario, StepsOfTheBuiltInClient) {
  const auto scenario = parse_scenario(
      "id: s\n[steps]\ncreate /f\nlayoutget /f RW -> BADIOMODE\n[planted]\nbefore OPEN do return IO\n[expect]\nexit "
      "0\n",
      "a.scn");
  ASSERT_TRUE(scenario) << scenario.error().reason;
  ASSERT_EQ(scenario->steps.size(), 2u);
  EXPECT_EQ(scenario->steps[1].line, 4u);
  EXPECT_EQ(scenario->steps[1].expected, nfs::NFS4ERR_BADIOMODE);
  EXPECT_EQ(scenario->steps[1].text, "layoutget /f RW");
  EXPECT_EQ(scenario->planted.size(), 1u);
}

TEST(Scenario, ProblemsNameFileAndLine) {
  auto problem = [](std::string_view text) {
    const auto scenario = parse_scenario(text, "a.scn");
    return scenario ? std::string() : scenario.error().reason;
  };
  EXPECT_TRUE(problem("id: x\n[lab]\nprofle = y\n").starts_with("a.scn:3: 'profle'"));
  EXPECT_TRUE(problem("id: x\n[expct]\n").starts_with("a.scn:2:"));
  EXPECT_TRUE(problem("id: x\n[expect]\ncount mds OPEN\n").starts_with("a.scn:3:"));
  EXPECT_TRUE(problem("id: x\n[expect]\nnever mds OPEN statsu=1\n").starts_with("a.scn:3: \"statsu\""));
  EXPECT_TRUE(problem("id: x\n[faults]\non mds befor LAYOUTGET do close\n").starts_with("a.scn:3: column 8:"));
  EXPECT_TRUE(problem("id: x\n[client 2]\n").starts_with("a.scn:2:"));
  EXPECT_EQ(problem("id: x\n[client]\ntrue\n"), "a.scn: expects nothing; add an [expect] section");
  EXPECT_TRUE(problem("id: x\n[client]\ntrue\n[expect]\nclient 2: exit 0\n").starts_with("a.scn:5:"));
  EXPECT_TRUE(problem("id: x\n[kernels]\n6.1.176 pink\n").starts_with("a.scn:3: '6.1.176 pink': expected a kernel's"));
  EXPECT_TRUE(problem("id: x\n[steps]\nfly /f\n").starts_with("a.scn:3: 'fly' is no step; there are: mount"));
  EXPECT_TRUE(problem("id: x\n[steps]\nmkdir\n").starts_with("a.scn:3: expected 'mkdir PATH'"));
  EXPECT_TRUE(problem("id: x\n[steps]\nmkdir /d -> NOWAY\n").starts_with("a.scn:3: 'NOWAY' is no status"));
  EXPECT_TRUE(
      problem("id: x\n[steps]\ncompound PUTROOTFH, LUKUP objname=x\n").starts_with("a.scn:3: 'LUKUP' is no op"));
}

TEST(Scenario, StepsMayNameTheirClient) {
  const auto plain = parse_step("stat /f size=1 -> NOENT"), second = parse_step("client 2: stat /f");
  ASSERT_TRUE(plain && second);
  EXPECT_EQ(plain->client, 1u);
  EXPECT_EQ(second->client, 2u);
  EXPECT_EQ(second->words, (std::vector<std::string>{"stat", "/f"}));
  for (const char* wrong : {"client", "client 2 stat /f", "client 0: stat /f", "client 2:"})
    EXPECT_FALSE(parse_step(wrong)) << wrong;
}

}  // namespace
}  // namespace pnfs::scenario
