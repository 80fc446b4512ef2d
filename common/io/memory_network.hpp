// The simulated Network: nodes with addresses inside one process, joined by links with latency, jitter and bandwidth.
// All delays come from the given Random on the given TimerQueue, so that a run repeats from its seed.
//
// It behaves as TCP does: bytes arrive in order or not at all; a partition delays them until it heals; a node without
// power says nothing, and answers old connections with a reset once it is back.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common/base/random.hpp"
#include "common/io/stream.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::io {

using Address = asio::ip::address;

struct Link {
  Duration latency = std::chrono::microseconds(100);  // one way
  Duration jitter = Duration(0);                      // up to this much more, evenly spread
  uint64_t bytes_per_second = 0;                      // 0: no limit; counted for each direction of each connection
};

class MemoryNetwork {
 public:
  // A connection holds at most this much that was written and not read; then the writer waits.
  static constexpr size_t kWindowBytes = 256u << 10;
  // Data travels in pieces of at most this size.
  static constexpr size_t kSegmentBytes = 64u << 10;
  static constexpr Duration kConnectTimeout = std::chrono::seconds(63);

  MemoryNetwork(TimerQueue& timers, Random& random, Link link = {});
  ~MemoryNetwork();

  // The network as one node sees it. Valid as long as the MemoryNetwork.
  Network& add_node(std::string name, std::vector<Address> addresses);

  void set_link(const Address& a, const Address& b, Link link);
  // Nothing passes between the two, in either direction, and nobody is told.
  void partition(const Address& a, const Address& b);
  void heal(const Address& a, const Address& b);
  // The same for all addresses of two nodes.
  void partition(const std::string& a, const std::string& b);
  void heal(const std::string& a, const std::string& b);

  enum class Death {
    process,  // the kernel lives on: peers get a reset, new connections are refused
    power,    // peers hear nothing until revive(), then a reset if they ask
  };
  // All connections and listeners of the node end.
  void kill(const std::string& node, Death how);
  // After Death::power: the node is reachable again (and may listen again).
  void revive(const std::string& node);
  // Resets every connection between the two nodes.
  void reset_connections(const std::string& a, const std::string& b);

  uint64_t bytes_sent() const;

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace pnfs::io
