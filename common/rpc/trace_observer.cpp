#include "common/rpc/trace_observer.hpp"

#include "common/rpc/connection.hpp"

namespace pnfs::rpc {

namespace {

void record(trace::Sink& sink, const Connection& connection, std::string_view op, std::string_view reason) {
  if (!sink.enabled(trace::Kind::net)) return;
  const std::string address = io::to_string(connection.remote());
  trace::Event event;
  event.kind = trace::Kind::net;
  event.op = op;
  event.client_addr = address;
  event.conn = connection.id();
  event.reason = reason;
  sink.record(event);
}

}  // namespace

void TraceObserver::opened(const Connection& connection) {
  record(sink_, connection, connection.accepted() ? "accept" : "connect", "");
}

void TraceObserver::closed(const Connection& connection, std::string_view reason) {
  record(sink_, connection, "close", reason);
}

void TraceObserver::trouble(const io::Endpoint& local, std::string_view reason) {
  trace::Event event;
  event.kind = trace::Kind::net;
  event.op = "refuse";
  const std::string args = "at " + io::to_string(local);
  event.args = args;
  event.reason = reason;
  sink_.record(event);
}

}  // namespace pnfs::rpc
