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

io::Task<Result<void>> run_work(boost::asio::io_context& context, io::TimerQueue& timers, std::string url, Work work) {
  block::IscsiOptions options;
  options.initiator_name = fmt::format("iqn.2026-01.pnfslab.tool:{}", getpid());
  options.isid.random = static_cast<uint32_t>(getpid()) & 0xffffff;
  options.retry_for = kRetryFor;
  auto store = co_await block::open_iscsi(context, timers, std::move(url), options);
  if (!store) co_return store.error();
  auto done = co_await work(**store);
  co_await (*store)->close();
  co_return done;
}

}  // namespace

Result<void> with_store(const std::string& url, Work work) {
  boost::asio::io_context context(1);
  SystemClock clock;
  io::AsioTimers timers(context.get_executor(), clock);
  Result<void> result = error(Errc::cancelled, "the work on '{}' did not end", url);
  std::exception_ptr failure;
  boost::asio::co_spawn(context.get_executor(), run_work(context, timers, url, std::move(work)),
                        [&](const std::exception_ptr& thrown, Result<void> done) {
                          failure = thrown;
                          result = std::move(done);
                          context.stop();
                        });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return result;
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
