#include "ds/live.hpp"

#include "common/block/block_store.hpp"
#include "common/compound/op_counters.hpp"
#include "common/live/desk.hpp"
#include "common/live/metrics.hpp"
#include "common/session/live_tables.hpp"
#include "ds/ds.hpp"

namespace pnfs::ds {

namespace {

using live::Row;
using live::Table;

session::AddressOf peer_of(Ds& ds) {
  return [&ds](session::ConnectionId id) {
    const auto connection = ds.server().connection(id);
    return connection == nullptr ? std::string() : io::to_string(connection->remote());
  };
}

Row ds_status_row(Ds& ds) {
  Row listening = Row::array();
  for (const io::Endpoint& at : ds.server().listening()) listening.push_back(io::to_string(at));
  return {{"node", ds.options().node},
          {"role", "ds"},
          {"node_id", ds.link().node_id()},
          {"listening", std::move(listening)},
          {"mds", io::to_string(ds.options().mds)},
          {"member", ds.link().lease_valid()},
          {"epoch", ds.link().mds_epoch()},
          {"store_epoch", ds.seams().store.epoch()},
          {"lease_s", live::seconds(ds.link().client_lease())},
          {"connections", ds.server().connections().size()},
          {"clients", ds.sessions().client_count()},
          {"sessions", ds.sessions().session_count()},
          {"grants", ds.link().grants().size()},
          {"verdicts", ds.link().verdicts().size()}};
}

}  // namespace

void add_tables(Ds& ds, live::Desk& desk) {
  desk.add("status", [&ds](Table& out) { out.add([&] { return ds_status_row(ds); }); });
  desk.add("clients", [&ds](Table& out) {
    session::fill_clients(ds.sessions(), ds.seams().clock.now(), peer_of(ds), nullptr, out);
  });
  desk.add("sessions", [&ds](Table& out) { session::fill_sessions(ds.sessions(), peer_of(ds), out); });
  desk.add("operations", [&ds](Table& out) { compound::OpCounters::of(ds.node()).fill(out); });
}

void add_metrics(Ds& ds, live::Metrics& metrics) {
  compound::OpCounters::of(ds.node()).add_to(metrics);
  const auto gauge = [&](std::string_view name, std::string_view help, uint64_t value) {
    metrics.gauge(name, help);
    metrics.sample(value);
  };
  gauge("pnfslab_connections", "Connections of clients", ds.server().connections().size());
  gauge("pnfslab_clients", "Client records", ds.sessions().client_count());
  gauge("pnfslab_sessions", "Sessions", ds.sessions().session_count());
  gauge("pnfslab_grants", "Grants held", ds.link().grants().size());
  gauge("pnfslab_verdicts", "Verdicts on stateids held", ds.link().verdicts().size());
  gauge("pnfslab_member", "1 while this node may touch the volume", ds.link().lease_valid() ? 1 : 0);
  gauge("pnfslab_store_epoch", "Sessions with the device so far", ds.seams().store.epoch());
}

}  // namespace pnfs::ds
