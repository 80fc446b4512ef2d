// What the subcommands do with a volume directly, without any server: open the LUN, work, close it.
#pragma once

#include <functional>
#include <string>

#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::lab {

// A LUN and what its coroutines run on, for work that drives the io_context itself.
struct OpenStore {
  boost::asio::io_context& context;
  io::TimerQueue& timers;
  std::unique_ptr<block::BlockStore> store;
};
// retry_for: how long a command is tried again while the target is away.
inline constexpr std::chrono::seconds kToolRetry{10};  // sooner than a server: a person is waiting
Result<void> with_open_store(const std::string& url, const std::function<Result<void>(OpenStore&)>& work,
                             Duration retry_for = kToolRetry);

// Logs in to the LUN, runs `work` on it to its end, logs out. The error is that of whichever failed first.
Result<void> with_store(const std::string& url, std::function<io::Task<Result<void>>(block::BlockStore&)> work);

// mkfs when the LUN holds nothing; nothing when it is a volume already; an error with what was found otherwise.
Result<void> format_if_blank(const std::string& url, unsigned node_slots, const std::string& cluster_and_name);

}  // namespace pnfs::lab
