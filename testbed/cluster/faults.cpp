// The fault rules of a cluster: one engine for each server, and what concerns a server as a whole.
#include "common/compound/fault_points.hpp"
#include "mds/recall_rules.hpp"
#include "testbed/cluster/cluster.hpp"

namespace pnfs::cluster {

// Carries out what a rule asks of the whole node, from the executor's loop: rules act in the middle of a request, which
// ends with its server. (co_spawn alone would begin within this call.)
class Cluster::Actor final : public fault::NodeActor {
 public:
  Actor(Cluster& cluster, Node& node) : cluster_(cluster), node_(node) {}

  void perform(const fault::NodeAction& action) override {
    io::asio::post(cluster_.sim_.executor(), [this, action] {
      io::asio::co_spawn(cluster_.sim_.executor(), carry_out(this, action), io::asio::detached);
    });
  }

 private:
  static io::Task<void> carry_out(Actor* self, fault::NodeAction action) {
    using Verb = fault::NodeAction::Verb;
    Node& node = self->node_;
    Cluster& cluster = self->cluster_;
    switch (action.verb) {
      case Verb::hang:
        cluster.cut_off(node, true);
        co_await cluster.sim_.timers().sleep(action.duration);
        cluster.cut_off(node, false);
        break;
      case Verb::kill:
        cluster.network_.kill(node.name, io::MemoryNetwork::Death::process);
        (void)co_await cluster.end_node(node, true);
        break;
      case Verb::restart:
        (void)co_await cluster.end_node(node, false);
        cluster.network_.revive(node.name);
        (void)co_await cluster.start_node(node);
        break;
      default:
        if (node.mds) mds::recall(*node.mds, action);
    }
  }

  Cluster& cluster_;
  Node& node_;
};

void Cluster::add_engine(Node& node) {
  node.actor = std::make_unique<Actor>(*this, node);
  node.engine = std::make_unique<fault::Engine>(
      vocabulary_, sim_.clock(),
      fault::Engine::Options{.node = node.name, .seed = options_.seed, .actor = node.actor.get()});
  if (node.sink) compound::trace_faults(*node.engine, *node.sink);
}

fault::Injector* Cluster::injector_of(const Node& node) const {
  if (options_.faults_of) return options_.faults_of(node.name);
  return options_.faults != nullptr ? options_.faults : node.engine.get();
}

fault::Injector* Cluster::block_injector_of(const Node& node) const {
  return options_.faults_of || options_.faults == nullptr ? injector_of(node) : nullptr;
}

fault::Engine& Cluster::faults(const std::string& name) {
  return *node(name).engine;
}

// A node that hangs is one that nobody hears from.
void Cluster::cut_off(const Node& hung, bool cut) {
  const auto with = [&](const std::string& other) {
    if (cut) {
      network_.partition(hung.name, other);
    } else {
      network_.heal(hung.name, other);
    }
  };
  for (const auto& node : nodes_)
    if (node.get() != &hung) with(node->name);
  for (const auto& [name, machine] : clients_) with(name);
}

}  // namespace pnfs::cluster
