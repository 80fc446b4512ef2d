#include "ds/questions.hpp"

#include <gtest/gtest.h>

#include "common/io/simulation.hpp"
#include "common/io/task_group.hpp"

namespace pnfs::ds {
namespace {

struct QuestionsTest : ::testing::Test {
  io::Simulation sim{1};
  Questions questions{sim.executor()};
  const Questions::What grant{7, {}, 2}, verdict{1, Other{std::byte{9}}, 2};
  int answered = 0;

  static io::Task<void> wait(Questions& q, Questions::What what, Questions::Number number, int& count) {
    co_await q.answer(what, number);
    ++count;
  }
};

TEST_F(QuestionsTest, OnlyTheSameIsFound) {
  const Questions::Asked asked(questions, grant, 64 << 20);
  EXPECT_TRUE(questions.find(grant, 64 << 20));
  EXPECT_TRUE(questions.find(grant, 50 << 20));
  EXPECT_FALSE(questions.find(grant, 0)) << "far away in the file";
  EXPECT_FALSE(questions.find({7, {}, 1}, 64 << 20)) << "another access";
  EXPECT_FALSE(questions.find({8, {}, 2}, 64 << 20)) << "another file";
  EXPECT_FALSE(questions.find(verdict, 0));
}

// Others who go on asking the same must not keep it waiting.
TEST_F(QuestionsTest, WhoJoinedWaitsForThatOneOnly) {
  io::TaskGroup tasks(sim.executor());
  auto first = std::make_unique<Questions::Asked>(questions, grant, 0);
  tasks.spawn("waits", wait(questions, grant, *questions.find(grant, 0), answered));
  const Questions::Asked second(questions, grant, 0);
  sim.run_for(std::chrono::seconds(1));
  EXPECT_EQ(answered, 0);
  first.reset();
  sim.run_for(std::chrono::seconds(1));
  EXPECT_EQ(answered, 1);
  EXPECT_TRUE(questions.find(grant, 0));
  sim.run(tasks.join());
}

TEST_F(QuestionsTest, AWaitEndsWhenItIsCancelled) {
  io::TaskGroup tasks(sim.executor());
  const Questions::Asked asked(questions, verdict, 0);
  tasks.spawn("waits", wait(questions, verdict, *questions.find(verdict, 0), answered));
  sim.run_for(std::chrono::seconds(1));
  tasks.stop();
  sim.run(tasks.join());
  EXPECT_EQ(answered, 0);
}

}  // namespace
}  // namespace pnfs::ds
