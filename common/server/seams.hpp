// What a server of the cluster works through: the same for both kinds, in a process (node_process.hpp) and in the
// in-process cluster on virtual time.
#pragma once

#include "common/base/clock.hpp"
#include "common/base/random.hpp"
#include "common/io/stream.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::block {
class BlockStore;
}
namespace pnfs::rpc {
class Observer;
}
namespace pnfs::trace {
class Sink;
}
namespace pnfs::fault {
class Injector;
}

namespace pnfs::server {

// Everything outlives the server that works through it.
struct Seams {
  io::Executor executor;
  const Clock& clock;
  io::TimerQueue& timers;
  Random& random;
  io::Network& network;
  block::BlockStore& store;
  trace::Sink* trace = nullptr;       // null: nothing is told
  fault::Injector* faults = nullptr;  // null: none
  rpc::Observer* observer = nullptr;  // null: nobody watches the transport
};

}  // namespace pnfs::server
