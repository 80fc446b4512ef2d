// One trace for all nodes of a cluster, in the order in which things happened.
#pragma once

#include <string>
#include <vector>

#include "common/trace/sink.hpp"

namespace pnfs::cluster {

class ClusterTrace {
 public:
  explicit ClusterTrace(const Clock& clock) : all_("cluster", clock) {}
  // The sink that a node writes to; its events carry the node's name.
  std::unique_ptr<trace::Sink> sink_for(std::string node);

  const std::vector<trace::OwnedEvent>& events() const { return all_.events(); }
  void clear() { all_.clear(); }
  // As the trace files have it, one event per line.
  std::string json_lines() const;

  // How many operations or callbacks at `node` were `op` (any status, or one).
  size_t count(std::string_view node, std::string_view op, std::string_view status = "") const;
  // The last event of that operation; null: none.
  const trace::OwnedEvent* last(std::string_view node, std::string_view op) const;

 private:
  trace::MemorySink all_;
};

}  // namespace pnfs::cluster
