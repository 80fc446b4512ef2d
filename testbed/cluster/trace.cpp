#include "testbed/cluster/trace.hpp"

#include "common/trace/json_line.hpp"

namespace pnfs::cluster {

namespace {

class NodeSink final : public trace::Sink {
 public:
  NodeSink(std::string node, trace::Sink& all) : node_(std::move(node)), all_(all) {}

 private:
  void write(const trace::Event& event) override {
    trace::Event named = event;
    if (named.node.empty()) named.node = node_;
    all_.record(named);
  }
  std::string node_;
  trace::Sink& all_;
};

bool is_operation(const trace::OwnedEvent& event) {
  return event.kind == trace::Kind::op || event.kind == trace::Kind::callback;
}

}  // namespace

std::unique_ptr<trace::Sink> ClusterTrace::sink_for(std::string node) {
  return std::make_unique<NodeSink>(std::move(node), all_);
}

std::string ClusterTrace::json_lines() const {
  std::string text;
  for (const trace::OwnedEvent& event : events()) trace::append_json_line(text, trace::to_view(event));
  return text;
}

size_t ClusterTrace::count(std::string_view node, std::string_view op, std::string_view status) const {
  size_t n = 0;
  for (const trace::OwnedEvent& e : events())
    if (is_operation(e) && e.node == node && e.op == op && (status.empty() || e.status == status)) ++n;
  return n;
}

const trace::OwnedEvent* ClusterTrace::last(std::string_view node, std::string_view op) const {
  const trace::OwnedEvent* found = nullptr;
  for (const trace::OwnedEvent& e : events())
    if (is_operation(e) && e.node == node && e.op == op) found = &e;
  return found;
}

}  // namespace pnfs::cluster
