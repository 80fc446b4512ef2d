#include "testbed/lab/volume_tools.hpp"

#include <unistd.h>

#include "common/block/iscsi_block_store.hpp"
#include "common/volume/volume.hpp"
#include "testbed/lab/run_on.hpp"

namespace pnfs::lab {

namespace {

using Work = std::function<io::Task<Result<void>>(block::BlockStore&)>;

block::IscsiOptions tool_options(Duration retry_for) {
  block::IscsiOptions options;
  options.initiator_name = fmt::format("iqn.2026-01.pnfslab.tool:{}", getpid());
  options.isid.random = static_cast<uint32_t>(getpid()) & 0xffffff;
  options.retry_for = retry_for;
  return options;
}

io::Task<Result<void>> close_store(block::BlockStore& store) {
  co_await store.close();
  co_return Result<void>{};
}

}  // namespace

Result<void> with_open_store(const std::string& url, const std::function<Result<void>(OpenStore&)>& work,
                             Duration retry_for) {
  boost::asio::io_context context(1);
  SystemClock clock;
  io::AsioTimers timers(context.get_executor(), clock);
  auto opened = run_on(context, block::open_iscsi(context, timers, url, tool_options(retry_for)));
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
