#include "mds/recall_rules.hpp"

#include <set>

#include "common/volume/volume.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "mds/mds.hpp"
#include "mds/namespace/names.hpp"

namespace pnfs::mds {

namespace {

// Every file that a client holds a delegation of.
std::set<state::FileId> delegated_files(Mds& mds) {
  std::set<state::FileId> files;
  mds.sessions().each_client([&](const session::Client& client) {
    const state::ClientState* held = mds.state().client(client.id);
    if (held == nullptr) return;
    for (const state::Entry* entry : held->entries)
      if (entry->kind == state::StateKind::delegation) files.insert(entry->file);
  });
  return files;
}

std::vector<session::ClientId> all_clients(Mds& mds) {
  std::vector<session::ClientId> clients;
  mds.sessions().each_client([&](const session::Client& client) { clients.push_back(client.id); });
  return clients;
}

}  // namespace

void recall(Mds& mds, const fault::NodeAction& action) {
  using Verb = fault::NodeAction::Verb;
  if (action.verb == Verb::recall_slots) {
    mds.recall_slots(action.slots);
    return;
  }
  auto& pnfs = layout::pnfs_of(mds);
  if (action.verb != Verb::recall_layouts && action.verb != Verb::recall_delegations) {
    for (const session::ClientId client : all_clients(mds)) {
      if (action.verb == Verb::recall_fsid) pnfs.recall_bulk(client, layout::BulkScope::fsid);
      if (action.verb == Verb::recall_all) pnfs.recall_bulk(client, layout::BulkScope::all);
      if (action.verb == Verb::notify_change) pnfs.notify_devices(client, false);
      if (action.verb == Verb::notify_delete) pnfs.notify_devices(client, true);
    }
    return;
  }
  state::FileId file = 0;
  if (!action.path.empty()) {
    file = find_path(mds.catalog(), action.path);
    if (file == 0) {
      spdlog::warn("a fault rule recalls what clients hold of '{}', and there is no such file", action.path);
      return;
    }
  }
  if (action.verb == Verb::recall_layouts) {
    pnfs.recall(file, 0);
    return;
  }
  const std::set<state::FileId> files = file != 0 ? std::set{file} : delegated_files(mds);
  for (const state::FileId each : files)
    mds.send_recalls(mds.state().recall_conflicts(0, each, true, mds.seams().clock.now()).fresh);
}

}  // namespace pnfs::mds
