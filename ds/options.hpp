// What a data server is told at its start, and the seams it works through.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/random.hpp"
#include "common/io/stream.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::block {
class BlockStore;
}
namespace pnfs::trace {
class Sink;
}
namespace pnfs::fault {
class Injector;
}

namespace pnfs::ds {

struct Options {
  std::string node = "ds1";
  std::vector<io::Endpoint> listen;
  // Where clients reach this server, if not at the listeners' ports on the IP by which they reach the MDS.
  std::vector<io::Endpoint> advertise;
  io::Endpoint mds;  // its control program; the port it serves NFS on
  Duration join_timeout = std::chrono::seconds(30);  // how long the start may wait for the MDS
  uint32_t max_read_bytes = 1u << 20;
  uint32_t max_write_bytes = 1u << 20;
  size_t keep_grants = 10'000;
  // RFC 8881 13.9.1: stateids must come with seqid 0. Linux does so; a strict server refuses others.
  bool strict_seqid = false;
};

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
};

}  // namespace pnfs::ds
