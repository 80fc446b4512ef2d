#include "testbed/bench/idle_clients.hpp"

#include <unistd.h>

#include "common/base/descriptor_limit.hpp"
#include "testbed/bench/scratch.hpp"
#include "testbed/client/session.hpp"
#include "testbed/lab/run_on.hpp"

namespace pnfs::bench {

using namespace nfs;
using client::Compound;

namespace {

// Pages in memory, as /proc/PID/statm counts them.
double resident_kib(pid_t pid) {
  const std::string text = read_text(fmt::format("/proc/{}/statm", pid));
  const size_t second = text.find(' ');
  const double pages = second == text.npos ? 0 : std::strtod(text.c_str() + second, nullptr);
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

// One for each client, here and at the server.
Result<void> need_descriptors(uint64_t count) {
  const uint64_t allowed = raise_descriptor_limit();
  if (allowed >= count + 100) return {};
  return error(Errc::no_space, "{} clients need as many file descriptors, and {} are allowed (ulimit -Hn)", count,
               allowed);
}

// The client's first request on one of its slots.
io::Task<void> use_slot(client::Session& session, std::optional<client::Failure>& failure) {
  auto compound = Compound::in_session();
  compound->add(OP_PUTROOTFH).add(OP_GETFH).cache();
  auto reply = co_await session.run(compound);
  if (!reply) failure = reply.error();
}

io::Task<client::Outcome<>> settle_in(io::TimerQueue& timers, client::Session& session) {
  auto established = co_await session.establish();
  if (!established) co_return established.error();
  auto complete = Compound::in_session();
  complete->add(OP_RECLAIM_COMPLETE, RECLAIM_COMPLETE4args{false});
  auto reply = co_await session.run(complete);
  if (!reply) co_return reply.error();
  std::optional<client::Failure> failure;
  io::TaskGroup requests(timers.executor());
  for (uint32_t slot = 0; slot < session.setup().slots; ++slot)
    requests.spawn("bench slot", use_slot(session, failure));
  co_await requests.join();
  if (failure) co_return *failure;
  co_return client::Outcome<>{};
}

io::Task<Result<void>> stop_clients(rpc::Client& rpc) {
  co_await rpc.stop();
  co_return Result<void>{};
}

}  // namespace

Result<IdleFigures> measure_idle_clients(boost::asio::io_context& context, io::TimerQueue& timers,
                                         const IdleOptions& options, const Child& server) {
  if (auto allowed = need_descriptors(options.clients); !allowed) return allowed.error();
  io::TcpNetwork network(context);
  rpc::Client rpc(network, timers);
  std::vector<std::unique_ptr<client::Session>> sessions;
  const double before_kib = resident_kib(server.pid());
  const auto before = server.cpu_time();
  const auto all = [&]() -> io::Task<Result<void>> {
    for (uint32_t i = 0; i < options.clients; ++i) {
      if (lab::interrupted()) co_return interrupted_error();
      client::SessionSetup setup;
      setup.server = options.server;
      setup.owner = fmt::format("pnfslab bench {} idle {}", getpid(), i);
      setup.slots = options.slots;
      sessions.push_back(std::make_unique<client::Session>(rpc, timers, std::move(setup)));
      auto settled = co_await settle_in(timers, *sessions.back());
      if (!settled) co_return error(Errc::io, "client {}: {}", i + 1, client::to_string(settled.error()));
    }
    co_return Result<void>{};
  };
  auto done = lab::run_on(context, all());
  const auto clients = static_cast<double>(options.clients);
  IdleFigures figures;
  figures.clients = options.clients;
  figures.server_kib = (resident_kib(server.pid()) - before_kib) / clients;
  figures.server_us = static_cast<double>((server.cpu_time() - before).count()) / 1000 / clients;
  auto stopped = lab::run_on(context, stop_clients(rpc));
  if (!done) return done.error();
  if (!stopped) return stopped.error();
  return figures;
}

}  // namespace pnfs::bench
