// A volume on a memory LUN, on virtual time.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "common/base/random.hpp"
#include "common/block/memory_block_store.hpp"
#include "common/io/task_group.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::volume {

struct VirtualTime {
  io::asio::io_context context;
  ManualClock clock;
  io::TimerQueue timers{context.get_executor(), clock};

  // Runs until `done`, jumping from deadline to deadline. False when nothing is left that could make it true.
  template <class Done>
  bool run_until(Done done) {
    while (!done()) {
      context.restart();
      if (context.poll_one() > 0) continue;
      const auto next = timers.next_deadline();
      if (!next) return false;
      clock.advance_to(*next);
      timers.fire_due();
    }
    return true;
  }

  template <class T>
  T run(io::Task<T> task) {
    std::optional<T> result;
    io::TaskGroup group(context.get_executor());
    auto wrapper = [](io::Task<T> inner, std::optional<T>& out) -> io::Task<void> { out = co_await std::move(inner); };
    group.spawn("test", wrapper(std::move(task), result));
    const bool ended = run_until([&] { return group.size() == 0; });
    if (!ended || !result) {
      ADD_FAILURE() << "the task never ended";
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

struct VolumeTest : ::testing::Test {
  VirtualTime time;
  SeededRandom random{42};
  block::MemoryLun lun{{.bytes = 64ull << 20}};
  block::MemoryBlockStore store{time.context.get_executor(), lun};

  void make(MkfsOptions options = {}) { ASSERT_OK(time.run(mkfs(store, options, random, time.clock))); }
  std::unique_ptr<Volume> mount(MountOptions options = {}) {
    auto opened = time.run(Volume::open(store, options, time.timers, random));
    EXPECT_TRUE(opened.has_value()) << opened.error().reason;
    return opened ? std::move(*opened) : nullptr;
  }
  void close(std::unique_ptr<Volume> volume) { EXPECT_OK(time.run(volume->close())); }
  void durable(Volume& volume) { EXPECT_OK(time.run(volume.durable(volume.catalog().ticket()))); }
};

inline Inode file_inode(FileId id, uint64_t size = 0) {
  Inode inode;
  inode.fileid = id;
  inode.mode = 0644;
  inode.size = size;
  inode.change = 1;
  return inode;
}

}  // namespace pnfs::volume
