// A whole pNFS cluster in one process on virtual time: a LUN in memory, a metadata server, data servers and clients,
// joined by a simulated network. The same options and the same calls give the same trace, bit for bit.
//
//   cluster::Cluster c({.seed = 7, .data_servers = 2});
//   ASSERT_TRUE(c.start());
//   auto& fs = c.add_client("client1");
//   ASSERT_TRUE(c.run(fs.mount(c.mds_address())));
//
// Nodes are called "mds", "ds1", "ds2", ... and what add_client() is told. Threading: none; one caller.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/block/injected_block_store.hpp"
#include "common/block/memory_block_store.hpp"
#include "common/fault/engine.hpp"
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/volume/volume.hpp"
#include "ds/ds.hpp"
#include "mds/mds.hpp"
#include "testbed/client/file_system.hpp"
#include "testbed/cluster/trace.hpp"

namespace pnfs::cluster {

struct Options {
  uint64_t seed = 1;
  uint32_t data_servers = 2;
  block::MemoryLunOptions lun{.bytes = 256u << 20};
  block::MemoryLatency disk{std::chrono::microseconds(150), std::chrono::microseconds(200),
                            std::chrono::microseconds(500)};
  io::Link link;
  volume::MkfsOptions mkfs;
  mds::Options mds;  // node and listen are filled in
  ds::Options ds;    // node, listen and mds are filled in
  // Rules in force from the start (common/fault/RULES.md), each at the servers that it names. Further ones come and go
  // by Cluster::faults().
  std::vector<std::string> rules;
  fault::Injector* faults = nullptr;  // of every server, instead of rules
  // Or one for each server and its block store, by the server's name; null: none there.
  std::function<fault::Injector*(const std::string&)> faults_of;
  block::MemorySession disk_session;          // how servers keep their sessions with the LUN
  const block::MemoryLun* content = nullptr;  // a LUN that mkfs was done on; null: done at start()
  bool traced = true;                         // false: nothing is recorded, for runs by the thousand
};

class Cluster {
 public:
  explicit Cluster(Options options = {});
  // Stops what still runs.
  ~Cluster();

  io::Simulation& sim() { return sim_; }
  io::MemoryNetwork& network() { return network_; }
  block::MemoryLun& lun() { return lun_; }
  ClusterTrace& trace() { return trace_; }
  mds::Mds& mds();
  ds::Ds& ds(uint32_t number);  // from 1
  // The rules of one server; they live on when it restarts. Not where Options brings injectors of its own.
  fault::Engine& faults(const std::string& node);
  io::Endpoint mds_address() const;
  io::Endpoint ds_address(uint32_t number) const;

  // mkfs, then the MDS, then the data servers; each has joined when this returns.
  Result<void> start();
  // A client machine with an address of its own; not mounted.
  client::FileSystem& add_client(std::string name, client::Options options = {});
  // One more data server, as "ds<n>"; it has joined when this returns.
  Result<uint32_t> add_data_server();
  // Another network for something that speaks by itself (a peer that sends garbage).
  io::Network& add_node(std::string name);

  // As kill -9 (peers get resets), or as if the plug was pulled (peers hear nothing).
  void kill(const std::string& node, io::MemoryNetwork::Death how = io::MemoryNetwork::Death::process);
  // An orderly end; restart() brings it back.
  Result<void> stop(const std::string& node);
  Result<void> restart(const std::string& node);
  bool running(const std::string& node) const;
  void partition(const std::string& a, const std::string& b) { network_.partition(a, b); }
  void heal(const std::string& a, const std::string& b) { network_.heal(a, b); }
  // The same between a server and the LUN; ends with the server's life.
  void cut_from_lun(const std::string& node, bool on);
  // What the server sends to the LUN from now on arrives so much later; ends with the server's life.
  void late_at_lun(const std::string& node, Duration by);

  template <class T>
  T run(io::Task<T> task, Duration limit = std::chrono::hours(1)) {
    return sim_.run(std::move(task), limit);
  }
  void run_for(Duration time) { sim_.run_for(time); }

 private:
  // What one server process has for itself.
  class Actor;
  struct Node {
    std::string name;
    uint32_t number = 0;  // 0: the MDS
    io::Network* network = nullptr;
    std::unique_ptr<trace::Sink> sink;
    std::unique_ptr<SeededRandom> random;
    std::unique_ptr<rpc::Observer> observer;
    std::unique_ptr<Actor> actor;
    std::unique_ptr<fault::Engine> engine;
    std::unique_ptr<block::MemoryBlockStore> store;
    std::unique_ptr<block::InjectedBlockStore> injected;  // around it, where there are faults
    std::unique_ptr<mds::Mds> mds;
    std::unique_ptr<ds::Ds> ds;
  };
  Node& node(const std::string& name);
  Node& make_node(uint32_t number);
  void add_engine(Node& node);
  void cut_off(const Node& hung, bool cut);
  // Null where there are no faults; the second is what its block store asks.
  fault::Injector* injector_of(const Node& node) const;
  fault::Injector* block_injector_of(const Node& node) const;
  io::Task<Result<void>> start_node(Node& node);
  io::Task<Result<void>> end_node(Node& node, bool crash);

  Options options_;
  fault::Vocabulary vocabulary_;
  io::Simulation sim_;
  io::MemoryNetwork network_;
  block::MemoryLun lun_;
  ClusterTrace trace_;
  std::vector<std::unique_ptr<Node>> nodes_;  // the MDS first
  struct Machine {
    std::unique_ptr<SeededRandom> random;
    std::unique_ptr<client::FileSystem> fs;
  };
  std::map<std::string, Machine> clients_;
  uint8_t next_client_ = 1;
};

}  // namespace pnfs::cluster
