#include "testbed/cluster/cluster.hpp"

#include <stdexcept>

#include "common/compound/fault_points.hpp"
#include "common/control/control_service.hpp"
#include "common/rpc/trace_observer.hpp"

namespace pnfs::cluster {

namespace {
constexpr uint16_t kPort = 2049;

io::Address address_of(uint32_t number) {
  return boost::asio::ip::address_v4({10, 0, 0, static_cast<uint8_t>(10 + number)});
}
}  // namespace

Cluster::Cluster(Options options)
    : options_(std::move(options)),
      sim_(options_.seed),
      network_(sim_.timers(), sim_.random(), options_.link),
      lun_(options_.content != nullptr ? block::MemoryLun(options_.lun, *options_.content)
                                       : block::MemoryLun(options_.lun)),
      trace_(sim_.clock()) {
  compound::add_nfs_points(vocabulary_);
  control::add_control_points(vocabulary_);
  for (uint32_t number = 0; number <= options_.data_servers; ++number) make_node(number);
}

Cluster::Node& Cluster::make_node(uint32_t number) {
  auto node = std::make_unique<Node>();
  node->number = number;
  node->name = number == 0 ? "mds" : fmt::format("ds{}", number);
  node->network = &network_.add_node(node->name, {address_of(number)});
  if (options_.traced) {
    node->sink = trace_.sink_for(node->name);
    node->observer = std::make_unique<rpc::TraceObserver>(*node->sink);
  }
  add_engine(*node);
  nodes_.push_back(std::move(node));
  return *nodes_.back();
}

Result<uint32_t> Cluster::add_data_server() {
  Node& node = make_node(static_cast<uint32_t>(nodes_.size()));
  if (auto started = run(start_node(node)); !started) return started.error().with_context(node.name);
  return node.number;
}

Cluster::~Cluster() {
  for (auto& [name, machine] : clients_) sim_.run(machine.fs->stop());
  for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) (void)run(end_node(**it, true));
}

Cluster::Node& Cluster::node(const std::string& name) {
  for (const auto& node : nodes_)
    if (node->name == name) return *node;
  throw std::logic_error("no server named " + name);
}

mds::Mds& Cluster::mds() {
  return *nodes_.front()->mds;
}

ds::Ds& Cluster::ds(uint32_t number) {
  return *nodes_.at(number)->ds;
}

io::Endpoint Cluster::mds_address() const {
  return {address_of(0), kPort};
}

io::Endpoint Cluster::ds_address(uint32_t number) const {
  return {address_of(number), kPort};
}

Result<void> Cluster::start() {
  if (options_.content == nullptr) {
    block::MemoryBlockStore store(sim_.executor(), lun_, &sim_.timers(), options_.disk);
    volume::MkfsOptions mkfs = options_.mkfs;
    mkfs.node_slots = std::max(mkfs.node_slots, options_.data_servers + 1);
    auto made = run(volume::mkfs(store, mkfs, sim_.random(), sim_.clock()));
    run(store.close());
    if (!made) return made.error().with_context("mkfs");
  }
  for (const auto& node : nodes_) {
    for (const std::string& rule : options_.rules)
      if (auto added = node->engine->add(rule); !added) return added.error().with_context(rule);
    if (auto started = run(start_node(*node)); !started) return started.error().with_context(node->name);
  }
  return {};
}

io::Task<Result<void>> Cluster::start_node(Node& node) {
  node.store = std::make_unique<block::MemoryBlockStore>(sim_.executor(), lun_, &sim_.timers(), options_.disk,
                                                         options_.disk_session);
  fault::Injector* const faults = injector_of(node);
  block::BlockStore* store = node.store.get();
  if (fault::Injector* of_blocks = block_injector_of(node)) {
    node.injected = std::make_unique<block::InjectedBlockStore>(*node.store, *of_blocks, sim_.timers());
    store = node.injected.get();
  }
  node.random = std::make_unique<SeededRandom>(sim_.random().next());
  const io::Endpoint here(address_of(node.number), kPort);
  const server::Seams seams{sim_.executor(), sim_.clock(),    sim_.timers(), *node.random,       *node.network,
                            *store,          node.sink.get(), faults,        node.observer.get()};
  Result<void> started;
  if (node.number == 0) {
    mds::Options options = options_.mds;
    options.node = node.name;
    options.listen = {here};
    // Whoever restarts a node here knows that the one before it is gone.
    options.owner_is_dead = [](const volume::OwnerRecord&) { return true; };
    node.mds = std::make_unique<mds::Mds>(std::move(options), seams);
    started = co_await node.mds->start();
  } else {
    ds::Options options = options_.ds;
    options.node = node.name;
    options.listen = {here};
    if (!options.advertise.empty()) options.advertise.push_back(here);  // beside others that a test thought of
    options.mds = mds_address();
    node.ds = std::make_unique<ds::Ds>(std::move(options), seams);
    started = co_await node.ds->start();
  }
  if (!started) (void)co_await end_node(node, true);
  co_return started;
}

io::Task<Result<void>> Cluster::end_node(Node& node, bool crash) {
  Result<void> ended;
  if (node.mds) ended = co_await node.mds->stop(crash ? mds::Mds::How::crash : mds::Mds::How::clean);
  if (node.ds) co_await node.ds->stop(crash ? ds::Ds::How::crash : ds::Ds::How::clean);
  node.mds.reset();
  node.ds.reset();
  if (node.store) co_await node.store->close();
  node.injected.reset();
  node.store.reset();
  co_return ended;
}

client::FileSystem& Cluster::add_client(std::string name, client::Options options) {
  io::Network& network = add_node(name);
  options.owner = name;
  Machine machine;
  machine.random = std::make_unique<SeededRandom>(sim_.random().next());
  machine.fs = std::make_unique<client::FileSystem>(network, sim_.timers(), *machine.random, std::move(options));
  return *clients_.emplace(std::move(name), std::move(machine)).first->second.fs;
}

io::Network& Cluster::add_node(std::string name) {
  return network_.add_node(std::move(name), {boost::asio::ip::address_v4({10, 0, 1, next_client_++})});
}

void Cluster::cut_from_lun(const std::string& name, bool on) {
  if (Node& cut = node(name); cut.store) cut.store->cut(on);
}

void Cluster::late_at_lun(const std::string& name, Duration by) {
  if (Node& late = node(name); late.store) late.store->come_late(by);
}

bool Cluster::running(const std::string& name) const {
  for (const auto& node : nodes_)
    if (node->name == name) return node->mds || node->ds;
  return clients_.contains(name);
}

void Cluster::kill(const std::string& name, io::MemoryNetwork::Death how) {
  network_.kill(name, how);
  if (const auto it = clients_.find(name); it != clients_.end()) {
    run(it->second.fs->stop());
    clients_.erase(it);
    return;
  }
  (void)run(end_node(node(name), true));
}

Result<void> Cluster::stop(const std::string& name) {
  return run(end_node(node(name), false));
}

Result<void> Cluster::restart(const std::string& name) {
  network_.revive(name);
  return run(start_node(node(name)));
}

}  // namespace pnfs::cluster
