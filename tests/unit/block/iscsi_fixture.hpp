// Runs block store coroutines on real time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/block/iscsi_block_store.hpp"
#include "common/io/task_group.hpp"

namespace pnfs::block {

struct RealTime {
  io::asio::io_context context;
  SystemClock clock;
  io::AsioTimers timers{context.get_executor(), clock};

  template <class T>
  T run(io::Task<T> task, Duration limit = std::chrono::seconds(60)) {
    std::optional<T> result;
    io::TaskGroup group(context.get_executor());
    auto wrapper = [](io::Task<T> inner, std::optional<T>& out) -> io::Task<void> { out = co_await std::move(inner); };
    group.spawn("test", wrapper(std::move(task), result));
    const TimePoint deadline = clock.now() + limit;
    while (group.size() > 0 && clock.now() < deadline) {
      context.restart();
      context.run_one_for(std::chrono::milliseconds(100));
    }
    if (group.size() > 0 || !result) {
      ADD_FAILURE() << "the task did not end in time";
      std::abort();
    }
    return std::move(*result);
  }
  void run(io::Task<void> task) {
    auto wrapper = [](io::Task<void> inner) -> io::Task<bool> {
      co_await std::move(inner);
      co_return true;
    };
    run(wrapper(std::move(task)));
  }
};

#define ASSERT_OK(expression)                                   \
  do {                                                          \
    const auto& result_ = (expression);                         \
    ASSERT_TRUE(result_.has_value()) << result_.error().reason; \
  } while (false)
#define EXPECT_OK(expression)                                   \
  do {                                                          \
    const auto& result_ = (expression);                         \
    EXPECT_TRUE(result_.has_value()) << result_.error().reason; \
  } while (false)

}  // namespace pnfs::block
