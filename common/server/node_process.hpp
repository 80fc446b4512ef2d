// A server of the cluster (metadata server, data server) as a process: what both have around them besides the frame,
// the volume and the fault rules.
#pragma once

#include "common/base/result.hpp"
#include "common/io/task.hpp"
#include "common/server/options.hpp"
#include "common/server/seams.hpp"

namespace pnfs::compound {
class FaultDesk;
}
namespace pnfs::live {
class Desk;
class Metrics;
}  // namespace pnfs::live
namespace pnfs::rpc {
class Server;
}

namespace pnfs::server {

struct NodeOptions {
  std::string program;  // "pnfs-mds"
  std::string node;
  std::string store;           // iscsi://...
  std::string initiator_name;  // empty: made of the node's name
  CommonOptions common;
};

// The server inside.
class Node {
 public:
  virtual ~Node() = default;
  // Seams and rules outlive the server. `failed` may be called at any time from then on: the server cannot go on.
  virtual io::Task<Result<void>> start(const Seams& seams, compound::FaultDesk& rules,
                                       std::function<void(const Error&)> failed) = 0;
  // Also after a start that failed.
  virtual io::Task<Result<void>> stop() = 0;
  // A signal came while start() was running: true when there is nothing to give back, so that the process may end at
  // once.
  virtual bool may_vanish() const = 0;
  // Between start() and stop().
  virtual rpc::Server& server() = 0;
  virtual void add_tables(live::Desk& desk) = 0;
  virtual void add_metrics(live::Metrics& metrics) = 0;
  // A command of the state socket that is neither of the desk nor of fault rules.
  virtual Result<std::string> command(std::string_view text) = 0;
};

// Serves until SIGTERM, SIGINT or a failure, and again as a new process when a rule restarts it. The exit code.
int run_node(const NodeOptions& options, Node& node);

}  // namespace pnfs::server
