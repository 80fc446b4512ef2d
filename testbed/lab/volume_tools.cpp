#include "testbed/lab/volume_tools.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>

#include "common/block/iscsi_block_store.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::lab {

namespace {

// A tool gives up sooner than a server: a person is waiting.
constexpr std::chrono::seconds kRetryFor{10};

using Work = std::function<io::Task<Result<void>>(block::BlockStore&)>;

block::IscsiOptions tool_options() {
  block::IscsiOptions options;
  options.initiator_name = fmt::format("iqn.2026-01.pnfslab.tool:{}", getpid());
  options.isid.random = static_cast<uint32_t>(getpid()) & 0xffffff;
  options.retry_for = kRetryFor;
  return options;
}

// Runs a coroutine on the context until it has ended.
template <class T>
Result<T> run_on(boost::asio::io_context& context, io::Task<Result<T>> task) {
  std::optional<Result<T>> result;
  std::exception_ptr failure;
  auto ended = [&](const std::exception_ptr& thrown, Result<T> done) {
    failure = thrown;
    result.emplace(std::move(done));
  };
  boost::asio::co_spawn(context.get_executor(), std::move(task), ended);
  context.restart();
  while (!result && context.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
  if (!result) return error(Errc::cancelled, "the work did not end");
  return std::move(*result);
}

io::Task<Result<void>> close_store(block::BlockStore& store) {
  co_await store.close();
  co_return Result<void>{};
}

}  // namespace

Result<void> with_open_store(const std::string& url, const std::function<Result<void>(OpenStore&)>& work) {
  boost::asio::io_context context(1);
  SystemClock clock;
  io::AsioTimers timers(context.get_executor(), clock);
  auto opened = run_on(context, block::open_iscsi(context, timers, url, tool_options()));
  if (!opened) return opened.error();
  OpenStore open{context, timers, std::move(*opened)};
  auto done = work(open);
  auto closed = run_on(context, close_store(*open.store));
  return done ? closed : done;
}

Result<void> with_store(const std::string& url, Work work) {
  return with_open_store(url, [&](OpenStore& open) { return run_on(open.context, work(*open.store)); });
}

Result<void> format_if_blank(const std::string& url, unsigned node_slots, const std::string& cluster_and_name) {
  volume::MkfsOptions options;
  options.node_slots = node_slots;
  if (auto parsed = volume::parse_table_name(cluster_and_name, options); !parsed) return parsed;
  auto work = [options](block::BlockStore& store) -> io::Task<Result<void>> {
    auto found = co_await volume::probe(store);
    if (found) co_return Result<void>{};
    if (found.error().code != Errc::not_found) co_return found.error();
    SystemRandom random;
    SystemClock clock;
    auto made = co_await volume::mkfs(store, options, random, clock);
    if (!made) co_return made.error();
    co_return Result<void>{};
  };
  return with_store(url, work);
}

}  // namespace pnfs::lab
