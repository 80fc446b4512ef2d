#include "testbed/target/command_window.hpp"

#include <gtest/gtest.h>

namespace pnfs::target {
namespace {

using Verdict = CommandWindow::Verdict;

TEST(CommandWindow, OnlyWhatIsInsideIsTaken) {
  CommandWindow window;
  window.start(10, 4);
  EXPECT_EQ(window.max(), 13u);
  EXPECT_EQ(window.classify(10, false), Verdict::deliver);
  EXPECT_EQ(window.classify(9, false), Verdict::ignore);
  EXPECT_EQ(window.classify(13, false), Verdict::hold);
  EXPECT_EQ(window.classify(14, false), Verdict::ignore);
  EXPECT_EQ(window.classify(14, true), Verdict::deliver);
}

TEST(CommandWindow, NumbersWrap) {
  CommandWindow window;
  window.start(0xffffffff, 4);
  EXPECT_EQ(window.max(), 2u);
  EXPECT_EQ(window.classify(1, false), Verdict::hold);
  window.advance();
  EXPECT_EQ(window.expected(), 0u);
  EXPECT_EQ(window.classify(0xffffffff, false), Verdict::ignore);
}

TEST(CommandWindow, UnansweredCommandsCloseItAndMaxNeverGoesBack) {
  CommandWindow window;
  window.start(1, 2);
  uint32_t highest = window.max();
  for (int i = 0; i < 2; ++i) {
    window.advance();
    window.begin();
    EXPECT_FALSE(sn_before(window.max(), highest));
    highest = window.max();
  }
  EXPECT_EQ(window.classify(3, false), Verdict::ignore);
  window.end();
  EXPECT_EQ(window.classify(3, false), Verdict::deliver);
}

}  // namespace
}  // namespace pnfs::target
