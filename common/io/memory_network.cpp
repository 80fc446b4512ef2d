#include "common/io/memory_network.hpp"

#include <stdexcept>

#include "common/io/memory_wire.hpp"

namespace pnfs::io {

namespace {

class AcceptingListener final : public Listener {
 public:
  AcceptingListener(std::shared_ptr<MemoryListener> shared) : shared_(std::move(shared)) {}
  ~AcceptingListener() override { AcceptingListener::close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    const auto shared = shared_;
    for (;;) {
      if (shared->closed) co_return error(Errc::closed, "accepting at {}: closed", to_string(shared->at));
      if (!shared->waiting.empty()) {
        auto stream = std::move(shared->waiting.front());
        shared->waiting.pop_front();
        co_return stream;
      }
      co_await shared->arrived.wait();
    }
  }
  void close() override {
    shared_->closed = true;
    shared_->waiting.clear();
    shared_->arrived.notify_all();
  }
  Endpoint local() const override { return shared_->at; }

 private:
  std::shared_ptr<MemoryListener> shared_;
};

std::shared_ptr<MemoryListener> find_listener(MemoryNode& node, const Endpoint& to) {
  const Address any =
      to.address().is_v6() ? Address(asio::ip::address_v6::any()) : Address(asio::ip::address_v4::any());
  for (const Endpoint& at : {to, Endpoint(any, to.port())}) {
    const auto it = node.listeners.find(at);
    if (it == node.listeners.end()) continue;
    const auto listener = it->second.lock();
    if (listener && !listener->closed) return listener;
  }
  return nullptr;
}

class NodeNetwork final : public Network {
 public:
  NodeNetwork(std::weak_ptr<MemoryNetwork::State> net, MemoryNode& node) : net_(std::move(net)), node_(node) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to) override {
    const auto net = net_.lock();
    const auto from = source_for(to);
    if (!from) co_return error(Errc::io, "connecting to {}: no address of that family", to_string(to));
    // The first packet, sent again with growing pauses as a kernel does.
    const TimePoint give_up = net->timers.now() + MemoryNetwork::kConnectTimeout;
    Duration pause = std::chrono::seconds(1);
    co_await net->timers.sleep(net->delay(from->address(), to.address()));
    while (!net->reachable(from->address(), to.address())) {
      if (net->timers.now() + pause > give_up)
        co_return error(Errc::timeout, "connecting to {}: no answer", to_string(to));
      co_await net->timers.sleep(pause);
      pause *= 2;
    }
    MemoryNode* target = net->node_of(to.address());
    const auto listener = target == nullptr ? nullptr : find_listener(*target, to);
    std::unique_ptr<Stream> mine;
    if (listener) {
      const auto there = std::make_shared<MemoryPipe>(net, *from, to);
      const auto back = std::make_shared<MemoryPipe>(net, to, *from);
      there->twin = back;
      back->twin = there;
      net->pipes.push_back(there);
      net->pipes.push_back(back);
      mine = std::make_unique<MemoryStream>(back, there);
      listener->waiting.push_back(std::make_unique<MemoryStream>(there, back));
      listener->arrived.notify_all();
    }
    co_await net->timers.sleep(net->delay(to.address(), from->address()));
    if (!mine) co_return error(Errc::refused, "connecting to {}: connection refused", to_string(to));
    co_return mine;
  }

  Result<std::unique_ptr<Listener>> listen(Endpoint at) override {
    const auto net = net_.lock();
    const bool own = at.address().is_unspecified() || net->node_of(at.address()) == &node_;
    if (!own) return error(Errc::invalid, "listening at {}: not an address of {}", to_string(at), node_.name);
    if (at.port() == 0) at.port(node_.next_port++);
    if (find_listener(node_, at))
      return error(Errc::busy, "port {} at {} is in use by another program; choose another port or stop that program",
                   at.port(), at.address().to_string());
    auto shared = std::make_shared<MemoryListener>(net->timers.executor(), at);
    node_.listeners[at] = shared;
    return std::unique_ptr<Listener>(std::make_unique<AcceptingListener>(std::move(shared)));
  }

 private:
  std::optional<Endpoint> source_for(const Endpoint& to) {
    const uint16_t port = node_.next_port++;
    if (node_.next_port < 32768) node_.next_port = 32768;
    for (const Address& address : node_.addresses)
      if (address == to.address()) return Endpoint(address, port);
    for (const Address& address : node_.addresses)
      if (address.is_v6() == to.address().is_v6()) return Endpoint(address, port);
    return std::nullopt;
  }

  std::weak_ptr<MemoryNetwork::State> net_;
  MemoryNode& node_;
};

}  // namespace

// ---- streams ------------------------------------------------------------------------------------------------------

Task<Result<size_t>> MemoryStream::read_some(std::span<std::byte> into) {
  return in_->read(into);
}

Task<Result<void>> MemoryStream::write(std::span<const ConstBytes> pieces) {
  return out_->write(pieces);
}

void MemoryStream::close() {
  out_->close_writer(false);
  in_->close_reader();
}

void MemoryStream::reset() {
  out_->close_writer(true);
  out_->send_reset_to_reader();
  in_->close_reader();
}

// ---- state --------------------------------------------------------------------------------------------------------

MemoryNode* MemoryNetwork::State::node_of(const Address& address) {
  for (const auto& node : nodes)
    for (const Address& own : node->addresses)
      if (own == address) return node.get();
  return nullptr;
}

MemoryNode& MemoryNetwork::State::node_named(const std::string& name) {
  for (const auto& node : nodes)
    if (node->name == name) return *node;
  throw std::logic_error("no node named " + name);
}

bool MemoryNetwork::State::reachable(const Address& from, const Address& to) {
  const MemoryNode* target = node_of(to);
  return target != nullptr && target->powered && !cut(from, to);
}

const Link& MemoryNetwork::State::link_of(const Address& a, const Address& b) const {
  const auto it = links.find(std::minmax(a, b));
  return it == links.end() ? link : it->second;
}

Duration MemoryNetwork::State::delay(const Address& a, const Address& b) {
  const Link& l = link_of(a, b);
  if (l.jitter <= Duration(0)) return l.latency;
  return l.latency + Duration(random.below(static_cast<uint64_t>(l.jitter.count()) + 1));
}

std::vector<std::shared_ptr<MemoryPipe>> MemoryNetwork::State::live_pipes() {
  std::vector<std::shared_ptr<MemoryPipe>> live;
  std::erase_if(pipes, [&live](const std::weak_ptr<MemoryPipe>& weak) {
    auto pipe = weak.lock();
    if (!pipe) return true;
    live.push_back(std::move(pipe));
    return false;
  });
  return live;
}

void MemoryNetwork::State::retry_all() {
  for (const auto& pipe : live_pipes()) pipe->retry();
}

// ---- the network --------------------------------------------------------------------------------------------------

MemoryNetwork::MemoryNetwork(TimerQueue& timers, Random& random, Link link)
    : state_(std::make_shared<State>(timers, random, link)) {}

MemoryNetwork::~MemoryNetwork() = default;

Network& MemoryNetwork::add_node(std::string name, std::vector<Address> addresses) {
  for (const Address& address : addresses)
    if (state_->node_of(address) != nullptr)
      throw std::logic_error("two nodes with the address " + address.to_string());
  auto node = std::make_unique<MemoryNode>();
  node->name = std::move(name);
  node->addresses = std::move(addresses);
  node->network = std::make_unique<NodeNetwork>(state_, *node);
  return *state_->nodes.emplace_back(std::move(node))->network;
}

void MemoryNetwork::set_link(const Address& a, const Address& b, Link link) {
  state_->links[std::minmax(a, b)] = link;
}

void MemoryNetwork::partition(const Address& a, const Address& b) {
  state_->cuts.insert(std::minmax(a, b));
}

void MemoryNetwork::heal(const Address& a, const Address& b) {
  state_->cuts.erase(std::minmax(a, b));
  state_->retry_all();
}

void MemoryNetwork::partition(const std::string& a, const std::string& b) {
  for (const Address& x : state_->node_named(a).addresses)
    for (const Address& y : state_->node_named(b).addresses) partition(x, y);
}

void MemoryNetwork::heal(const std::string& a, const std::string& b) {
  for (const Address& x : state_->node_named(a).addresses)
    for (const Address& y : state_->node_named(b).addresses) heal(x, y);
}

void MemoryNetwork::kill(const std::string& name, Death how) {
  MemoryNode& node = state_->node_named(name);
  for (const auto& [at, weak] : node.listeners) {
    if (const auto listener = weak.lock()) {
      listener->closed = true;
      listener->waiting.clear();
      listener->arrived.notify_all();
    }
  }
  node.listeners.clear();
  for (const auto& pipe : state_->live_pipes()) {
    const bool writes = state_->node_of(pipe->from.address()) == &node;
    const bool reads = state_->node_of(pipe->to.address()) == &node;
    if (writes) {
      pipe->close_writer(true);
      if (how == Death::process) pipe->send_reset_to_reader();
    }
    if (reads) {
      pipe->close_reader();
    }
  }
  if (how == Death::power) node.powered = false;
}

void MemoryNetwork::revive(const std::string& name) {
  state_->node_named(name).powered = true;
  state_->retry_all();
}

void MemoryNetwork::reset_connections(const std::string& a, const std::string& b) {
  const MemoryNode* x = &state_->node_named(a);
  const MemoryNode* y = &state_->node_named(b);
  for (const auto& pipe : state_->live_pipes()) {
    const MemoryNode* from = state_->node_of(pipe->from.address());
    const MemoryNode* to = state_->node_of(pipe->to.address());
    if ((from == x && to == y) || (from == y && to == x)) {
      pipe->send_reset_to_reader();
    }
  }
}

uint64_t MemoryNetwork::bytes_sent() const {
  return state_->bytes_sent;
}

}  // namespace pnfs::io
