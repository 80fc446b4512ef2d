// The inside of MemoryNetwork: its state and the two pipes of a connection. Private to memory_*.cpp.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "common/io/event.hpp"
#include "common/io/memory_network.hpp"

namespace pnfs::io {

class MemoryPipe;
class MemoryListener;

struct MemoryNode {
  std::string name;
  std::vector<Address> addresses;
  bool powered = true;
  uint16_t next_port = 32768;
  std::map<Endpoint, std::weak_ptr<MemoryListener>> listeners;
  std::unique_ptr<Network> network;
};

class MemoryNetwork::State {
 public:
  State(TimerQueue& timers, Random& random, Link link) : timers(timers), random(random), link(link) {}

  MemoryNode* node_of(const Address& address);
  MemoryNode& node_named(const std::string& name);
  bool cut(const Address& a, const Address& b) const { return cuts.contains(std::minmax(a, b)); }
  // Whether a packet from one to the other arrives now.
  bool reachable(const Address& from, const Address& to);
  const Link& link_of(const Address& a, const Address& b) const;
  Duration delay(const Address& a, const Address& b);
  // Stalled segments get another chance.
  void retry_all();
  std::vector<std::shared_ptr<MemoryPipe>> live_pipes();

  TimerQueue& timers;
  Random& random;
  Link link;
  std::map<std::pair<Address, Address>, Link> links;
  std::set<std::pair<Address, Address>> cuts;
  std::vector<std::unique_ptr<MemoryNode>> nodes;
  std::vector<std::weak_ptr<MemoryPipe>> pipes;  // in order of creation
  uint64_t bytes_sent = 0;
};

// One direction of one connection.
class MemoryPipe : public std::enable_shared_from_this<MemoryPipe> {
 public:
  MemoryPipe(std::shared_ptr<MemoryNetwork::State> net, Endpoint from, Endpoint to);

  Task<Result<size_t>> read(std::span<std::byte> into);
  Task<Result<void>> write(std::span<const ConstBytes> pieces);
  // The two ends, each closed by its own side. `silent`: the peer is not told.
  void close_writer(bool silent);
  void close_reader();
  // After the link's delay; what was not read is lost.
  void send_reset_to_reader();
  void send_reset_to_writer();
  void retry();

  const Endpoint from;
  const Endpoint to;
  std::weak_ptr<MemoryPipe> twin;  // the other direction

 private:
  void reset_at(const Endpoint& side);
  struct Segment {
    TimePoint when;
    std::vector<std::byte> bytes;
    bool end = false;
  };
  void enqueue(std::vector<std::byte> bytes, bool end);
  void arm();
  void deliver();

  std::shared_ptr<MemoryNetwork::State> net_;
  std::deque<Segment> in_flight_;
  bool armed_ = false;
  bool stalled_ = false;
  TimePoint line_free_{};
  std::deque<std::vector<std::byte>> arrived_;
  size_t front_used_ = 0;
  size_t held_bytes_ = 0;  // in flight and arrived
  bool writer_closed_ = false;
  bool writer_reset_ = false;
  bool reader_closed_ = false;
  bool reader_reset_ = false;
  bool end_arrived_ = false;
  Event readable_;
  Event writable_;
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(std::shared_ptr<MemoryPipe> in, std::shared_ptr<MemoryPipe> out)
      : in_(std::move(in)), out_(std::move(out)) {}
  ~MemoryStream() override { MemoryStream::close(); }
  Task<Result<size_t>> read_some(std::span<std::byte> into) override;
  Task<Result<void>> write(std::span<const ConstBytes> pieces) override;
  void close() override;
  void reset() override;
  Endpoint local() const override { return out_->from; }
  Endpoint remote() const override { return out_->to; }

 private:
  std::shared_ptr<MemoryPipe> in_;
  std::shared_ptr<MemoryPipe> out_;
};

class MemoryListener {
 public:
  MemoryListener(Executor executor, Endpoint at) : at(at), arrived(executor) {}
  Endpoint at;
  std::deque<std::unique_ptr<Stream>> waiting;
  Event arrived;
  bool closed = false;
};

}  // namespace pnfs::io
