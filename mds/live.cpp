#include "mds/live.hpp"

#include "common/compound/op_counters.hpp"
#include "common/live/desk.hpp"
#include "common/live/metrics.hpp"
#include "common/rpc/server.hpp"
#include "common/session/live_tables.hpp"
#include "common/volume/volume.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "mds/live_tables.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds {

namespace {

using live::Row;
using live::Table;

session::AddressOf peer_of(Mds& mds) {
  return [&mds](session::ConnectionId id) {
    const auto connection = mds.server().connection(id);
    return connection == nullptr ? std::string() : io::to_string(connection->remote());
  };
}

TimePoint now_at(Mds& mds) {
  return mds.seams().clock.now();
}

Row grace_row(Mds& mds) {
  const TimePoint now = now_at(mds);
  const bool active = mds.grace().active(now);
  Row row{{"active", active}, {"left_s", 0}, {"waiting_for", active ? mds.grace().waiting_for() : 0}};
  if (active) row["left_s"] = live::seconds(mds.grace().until() - now);
  return row;
}

Row mds_status_row(Mds& mds) {
  const volume::Superblock& volume = mds.volume().superblock();
  const state::StateTable::Counts counts = mds.state().counts();
  auto& pnfs = layout::pnfs_of(mds);
  const volume::SpaceReport space = mds.volume().extents().space();
  Row listening = Row::array();
  for (const io::Endpoint& at : mds.server().listening()) listening.push_back(io::to_string(at));
  return {{"node", mds.options().node},
          {"role", "mds"},
          {"profile", to_string(mds.options().profile)},
          {"listening", std::move(listening)},
          {"volume",
           {{"name", volume.cluster + ":" + volume.name},
            {"uuid", volume::to_string(volume.uuid)},
            {"node_slots", volume.node_slots},
            {"total_bytes", space.total_bytes},
            {"free_bytes", space.free_bytes},
            {"quarantined_bytes", space.quarantined_bytes},
            {"write_epoch", mds.volume().write_epoch()}}},
          {"epoch", mds.volume().boot_instance()},
          {"lease_s", live::seconds(mds.options().lease)},
          {"node_lease_s", live::seconds(pnfs.cluster().node_lease())},
          {"grace", grace_row(mds)},
          {"connections", mds.server().connections().size()},
          {"clients", mds.sessions().client_count()},
          {"sessions", mds.sessions().session_count()},
          {"opens", counts.opens},
          {"locks", counts.locks},
          {"delegations", counts.delegations},
          {"layouts", pnfs.table().size()},
          {"grants", pnfs.cluster().grants().size()},
          {"verdicts", pnfs.cluster().verdicts().size()}};
}

// The MDS itself, then the data servers that registered since its start, then those only the volume remembers.
void fill_nodes(Mds& mds, Table& out) {
  out.add([&] {
    Row addresses = Row::array();
    for (const io::Endpoint& at : mds.server().listening()) addresses.push_back(io::to_string(at));
    return Row{{"node", kMdsNode},
               {"name", mds.options().node},
               {"role", "mds"},
               {"state", "owner"},
               {"lease_left_s", nullptr},
               {"key", live::hex(mds.volume().reservation_key())},
               {"instance", live::hex(mds.volume().boot_instance())},
               {"connected", true},
               {"draining", false},
               {"store_epoch", mds.seams().store.epoch()},
               {"addresses", std::move(addresses)}};
  });
  const auto& members = layout::pnfs_of(mds).cluster().members();
  fill_members(members, now_at(mds), out);
  const auto recorded = mds.catalog().nodes();
  if (!recorded) return;
  for (const volume::NodeRecord& node : *recorded) {
    if (members.find(node.slot) != nullptr) continue;
    out.add([&] {
      return Row{{"node", node.slot},
                 {"name", live::printable(node.name)},
                 {"role", "ds"},
                 {"state", node.fenced ? "fenced" : "away"},
                 {"lease_left_s", nullptr},
                 {"key", live::hex(node.key)},
                 {"instance", live::hex(node.instance)},
                 {"connected", false},
                 {"draining", false},
                 {"store_epoch", 0},
                 {"addresses", Row::array()}};
    });
  }
}

void fill_mds_clients(Mds& mds, Table& out) {
  auto more = [&mds](const session::Client& client, Row& row) {
    const auto counts = counts_of(mds.state(), client.id);
    row["opens"] = counts.opens;
    row["locks"] = counts.locks;
    row["delegations"] = counts.delegations;
    row["layouts"] = layout::pnfs_of(mds).table().count_of(client.id);
  };
  session::fill_clients(mds.sessions(), now_at(mds), peer_of(mds), more, out);
}

std::vector<session::ClientId> clients_of(Mds& mds) {
  std::vector<session::ClientId> clients;
  std::as_const(mds.sessions()).each_client([&](const session::Client& client) { clients.push_back(client.id); });
  return clients;
}

}  // namespace

void add_tables(Mds& mds, live::Desk& desk) {
  auto& pnfs = layout::pnfs_of(mds);
  desk.add("status", [&mds](Table& out) { out.add([&] { return mds_status_row(mds); }); });
  desk.add("nodes", [&mds](Table& out) { fill_nodes(mds, out); });
  desk.add("locks", [&pnfs](Table& out) { fill_locks(pnfs.cluster().grants(), out); });
  desk.add("clients", [&mds](Table& out) { fill_mds_clients(mds, out); });
  desk.add("sessions", [&mds](Table& out) { session::fill_sessions(mds.sessions(), peer_of(mds), out); });
  desk.add("opens", [&mds](Table& out) { fill_opens(mds.state(), clients_of(mds), now_at(mds), out); });
  desk.add("layouts", [&mds, &pnfs](Table& out) { pnfs.table().fill(now_at(mds), out); });
  desk.add("devices", [&pnfs](Table& out) {
    if (auto* files = pnfs.driver(nfs::LAYOUT4_NFSV4_1_FILES)) fill_devices(*files, pnfs.cluster().members(), out);
  });
  desk.add("operations", [&mds](Table& out) { compound::OpCounters::of(mds.node()).fill(out); });
}

void add_metrics(Mds& mds, live::Metrics& metrics) {
  const state::StateTable::Counts counts = mds.state().counts();
  auto& pnfs = layout::pnfs_of(mds);
  compound::OpCounters::of(mds.node()).add_to(metrics);
  const auto gauge = [&](std::string_view name, std::string_view help, uint64_t value) {
    metrics.gauge(name, help);
    metrics.sample(value);
  };
  gauge("pnfslab_connections", "Connections of clients and data servers", mds.server().connections().size());
  gauge("pnfslab_clients", "Client records", mds.sessions().client_count());
  gauge("pnfslab_sessions", "Sessions", mds.sessions().session_count());
  gauge("pnfslab_opens", "Opens", counts.opens);
  gauge("pnfslab_locks", "Lock stateids", counts.locks);
  gauge("pnfslab_delegations", "Delegations", counts.delegations);
  gauge("pnfslab_layouts", "Layouts held, one for each client and file", pnfs.table().size());
  gauge("pnfslab_grants", "Grants of byte ranges to nodes", pnfs.cluster().grants().size());
  gauge("pnfslab_verdicts", "Verdicts on stateids that data servers hold", pnfs.cluster().verdicts().size());
  gauge("pnfslab_grace_active", "1 in the grace period", mds.grace().active(now_at(mds)) ? 1 : 0);
  gauge("pnfslab_write_epoch", "The volume's write epoch", mds.volume().write_epoch());
  metrics.gauge("pnfslab_node_up", "1 for each data server that is a member");
  for (const auto& [id, node] : pnfs.cluster().members().all())
    metrics.sample({{"ds", node.name}}, uint64_t{node.state == cluster::NodeState::member});
  const volume::SpaceReport space = mds.volume().extents().space();
  metrics.gauge("pnfslab_volume_bytes", "The volume's data area", "bytes");
  metrics.sample(space.total_bytes);
  metrics.gauge("pnfslab_volume_free_bytes", "Free space of the volume", "bytes");
  metrics.sample(space.free_bytes);
}

}  // namespace pnfs::mds
