// Many clients that have asked something once and are silent since: what a server keeps for each.
#pragma once

#include <functional>

#include "common/io/tcp_network.hpp"
#include "common/io/timer_queue.hpp"
#include "testbed/bench/child.hpp"

namespace pnfs::bench {

struct IdleFigures {
  uint32_t clients = 0;
  double server_kib = 0;  // of the server's memory, for each
  double server_us = 0;   // CPU time to take one in and answer its first requests
};

struct IdleOptions {
  io::Endpoint server;
  uint32_t clients = 10000;
  uint32_t slots = 64;  // of each one's session; every one has been used
};

// Each client has a connection, a client id, a session, and a kept reply on each slot.
// Errors: io (with what the server said to which client), cancelled after an interrupt.
Result<IdleFigures> measure_idle_clients(boost::asio::io_context& context, io::TimerQueue& timers,
                                         const IdleOptions& options, const Child& server);

}  // namespace pnfs::bench
