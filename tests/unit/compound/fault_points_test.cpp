#include "common/compound/fault_points.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "common/fault/action.hpp"
#include "common/fault/engine.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/ops.hpp"
#include "common/nfs/valid_errors.hpp"

namespace pnfs::compound {
namespace {

struct FaultPointsTest : ::testing::Test {
  fault::Vocabulary vocabulary;
  ManualClock clock;
  FaultPointsTest() {
    add_nfs_points(vocabulary);
    // What control program and target add.
    vocabulary.add({.domain = fault::Domain::control, .name = "GRANT", .section = ""});
    for (const char* name : {"WRITE(10)", "READ(10)"})
      vocabulary.add({.domain = fault::Domain::scsi, .name = name, .section = ""});
  }
};

TEST_F(FaultPointsTest, EveryValidPairCanBeInjectedByName) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  size_t pairs = 0;
  for (const auto& [domain, table] :
       {std::pair{fault::Domain::operation, nfs::operations()}, std::pair{fault::Domain::callback, nfs::callbacks()}}) {
    for (const nfs::OpInfo& op : table) {
      for (const nfs::nfsstat4 status : nfs::valid_errors(op.name)) {
        const std::string rule = fmt::format("before {} do return {}", op.name, nfs::status_name(status));
        const auto id = engine.add(rule);
        ASSERT_TRUE(id) << rule << ": " << id.error().reason;
        fault::Context context;
        context.domain = domain;
        context.op = op.name;
        EXPECT_EQ(engine.consult(context).status, static_cast<uint32_t>(status)) << rule;
        engine.remove(*id);
        ++pairs;
      }
    }
  }
  EXPECT_EQ(pairs, 1213u);
}

TEST_F(FaultPointsTest, OtherPairsOnlyByForce) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  for (const nfs::OpInfo& op : nfs::operations()) {
    const bool valid = nfs::is_valid_error(op.name, nfs::NFS4ERR_BADIOMODE);
    EXPECT_EQ(engine.add(fmt::format("before {} do return BADIOMODE", op.name)).has_value(), valid) << op.name;
    EXPECT_TRUE(engine.add(fmt::format("before {} do return BADIOMODE force", op.name))) << op.name;
  }
  const auto refused = engine.add("before GETATTR do return NFS4ERR_BADIOMODE");
  EXPECT_TRUE(refused.error().reason.starts_with(
      "column 26: the RFC does not let GETATTR return NFS4ERR_BADIOMODE (write \"return NFS4ERR_BADIOMODE force\""))
      << refused.error().reason;
}

// The page shows only what works, and shows every action.
TEST_F(FaultPointsTest, ExamplesOfThePageAndOfTheActionsParse) {
  const auto page = std::filesystem::path(__FILE__).parent_path() / "../../../common/fault/RULES.md";
  std::ifstream file(page);
  ASSERT_TRUE(file) << page;
  bool in_rules = false;
  std::set<std::string> actions;
  size_t examples = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      in_rules = line == "```rule";
      continue;
    }
    if (!in_rules) continue;
    ++examples;
    const auto rule = fault::parse_rule(line, vocabulary);
    EXPECT_TRUE(rule) << line << "\n" << rule.error().reason;
    for (const fault::ActionKind* kind : fault::action_kinds())
      if (line.find(fmt::format("do {}", kind->name)) != std::string::npos) actions.emplace(kind->name);
  }
  EXPECT_GT(examples, 20u);
  for (const fault::ActionKind* kind : fault::action_kinds()) {
    EXPECT_TRUE(actions.contains(std::string(kind->name))) << kind->name << " has no example in RULES.md";
    const auto rule = fault::parse_rule(kind->example, vocabulary);
    EXPECT_TRUE(rule) << kind->example << "\n" << rule.error().reason;
  }
}

TEST_F(FaultPointsTest, ALayoutIsChangedFieldByField) {
  fault::Engine engine(vocabulary, clock, {.node = "mds"});
  EXPECT_FALSE(engine.add("after LAYOUTGET do set logr_layout[0].lo_iomode=READ force")) << "set takes no force";
  ASSERT_TRUE(
      engine.add("after LAYOUTGET loga_iomode=RW do set logr_layout[0].lo_iomode=READ then stale logr_stateid"));
  Arena arena;
  nfs::LAYOUTGET4args args;
  args.loga_iomode = nfs::LAYOUTIOMODE4_RW;
  nfs::LAYOUTGET4res res;
  res.logr_resok4.logr_stateid.seqid = 2;
  res.logr_resok4.logr_layout.items = arena.make_array<nfs::layout4>(1);
  res.logr_resok4.logr_layout[0].lo_iomode = nfs::LAYOUTIOMODE4_RW;
  fault::Context context;
  context.stage = fault::Stage::after;
  context.op = "LAYOUTGET";
  context.args = xdr::FieldView::of(args);
  context.res = xdr::FieldView::of(res);
  context.arena = &arena;
  EXPECT_TRUE(engine.consult(context).changed);
  EXPECT_EQ(res.logr_resok4.logr_layout[0].lo_iomode, nfs::LAYOUTIOMODE4_READ);
  EXPECT_EQ(res.logr_resok4.logr_stateid.seqid, 1u);
  args.loga_iomode = nfs::LAYOUTIOMODE4_READ;
  EXPECT_FALSE(engine.consult(context));
}

}  // namespace
}  // namespace pnfs::compound
