#include "testbed/lab/trace_counts.hpp"

#include <fstream>
#include <set>

#include "common/trace/json_line.hpp"

namespace pnfs::lab {

uint64_t TraceSummary::count(const std::string& node, const std::string& op) const {
  const auto counts = ops.find(node);
  if (counts == ops.end()) return 0;
  const auto found = counts->second.find(op);
  return found == counts->second.end() ? 0 : found->second;
}

Result<TraceSummary> summarize_traces(const LabState& lab) {
  TraceSummary summary;
  for (const Server& server : lab.servers) {
    if (server.role == "target") continue;
    OpCounts& counts = summary.ops[server.name];
    const std::string path = lab.trace_file(server.name);
    std::ifstream in(path);
    if (!in) return error(Errc::not_found, "{} left no trace at '{}'", server.name, path);
    std::set<uint64_t> calls;
    for (std::string line; std::getline(in, line);) {
      const auto event = trace::parse_json_line(line);
      if (!event) return event.error().with_context(path);
      if (event->kind != trace::Kind::op) continue;
      ++counts[event->op];
      if (event->call) calls.insert(*event->call);
      const bool refused = event->op == "LAYOUTGET" && event->iomode == "RW" && event->status != "NFS4_OK";
      if (!refused || !summary.layoutget_rw_status.empty()) continue;
      summary.layoutget_rw_status = event->status;
      summary.layoutget_rw_reason = event->reason;
      if (!event->section.empty()) summary.layoutget_rw_reason += fmt::format(" (RFC 8881 {})", event->section);
    }
    summary.calls[server.name] = calls.size();
  }
  return summary;
}

}  // namespace pnfs::lab
