// Connections in the trace: opened, closed and why, not taken and why (Kind::net).
#pragma once

#include "common/rpc/observer.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::rpc {

class TraceObserver : public Observer {
 public:
  // `sink` outlives the observer.
  explicit TraceObserver(trace::Sink& sink) : sink_(sink) {}
  void opened(const Connection& connection) override;
  void closed(const Connection& connection, std::string_view reason) override;
  void trouble(const io::Endpoint& local, std::string_view reason) override;

 private:
  trace::Sink& sink_;
};

}  // namespace pnfs::rpc
