#include "common/fault/command.hpp"

#include <gtest/gtest.h>

namespace pnfs::fault {
namespace {

struct CommandTest : ::testing::Test {
  Vocabulary vocabulary;
  ManualClock clock;
  Engine engine{vocabulary, clock, {.node = "ds1"}};

  Result<std::string> tell(std::string_view command) { return run_command(engine, vocabulary, command); }
};

TEST_F(CommandTest, AddListRemoveClear) {
  EXPECT_EQ(*tell("add before block.WRITE do return IO"), "1\n");
  EXPECT_EQ(*tell("add on ds2 before block.READ once do delay 2s"), "2\n");
  Context context;
  context.domain = Domain::block;
  context.op = "WRITE";
  EXPECT_TRUE(engine.consult(context));
  const auto rules = parse_list(*tell("list"));
  ASSERT_TRUE(rules);
  ASSERT_EQ(rules->size(), 2u);
  EXPECT_EQ((*rules)[0].hits, 1u);
  EXPECT_EQ((*rules)[0].text, "before block.WRITE do return IO");
  EXPECT_TRUE((*rules)[0].here);
  EXPECT_FALSE((*rules)[1].here);
  EXPECT_TRUE(tell("remove 1"));
  EXPECT_EQ(tell("remove 1").error().code, Errc::not_found);
  EXPECT_TRUE(tell("clear"));
  EXPECT_EQ(*tell("list"), "");
}

TEST_F(CommandTest, SaysWhatIsWrong) {
  EXPECT_TRUE(tell("add before block.WRIT do close").error().reason.starts_with("column 8:"));
  for (const char* wrong : {"", "lst", "list all", "remove", "remove x", "remove 99999999999", "clear 1"})
    EXPECT_FALSE(tell(wrong)) << wrong;
  EXPECT_FALSE(parse_list("1\t2\n"));
  EXPECT_FALSE(parse_list("x\t0\t0\there\trule\n"));
}

TEST_F(CommandTest, Points) {
  EXPECT_NE(tell("points")->find("block.WRITE"), std::string::npos);
  EXPECT_TRUE(tell("points fields"));
}

}  // namespace
}  // namespace pnfs::fault
