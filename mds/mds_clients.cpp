// Clients over restarts, leases, and what happens when one is gone (RFC 8881 8.3, 8.4).
#include "common/compound/backchannel.hpp"
#include "common/compound/step.hpp"
#include "common/volume/volume.hpp"
#include "mds/context.hpp"
#include "mds/data/reaper.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds {

using state::StateTable;

Result<void> Mds::restore_clients() {
  auto clients = catalog().clients();
  if (!clients) return clients.error();
  std::vector<std::string> owners;
  for (const volume::ClientRecord& client : *clients) owners.push_back(client.owner);
  const Duration length = options_.grace.value_or(options_.lease);
  if (!owners.empty()) {
    spdlog::info("grace period of {} s for {} clients of the last instance",
                 std::chrono::duration_cast<std::chrono::seconds>(length).count(), owners.size());
  }
  grace_.begin(std::move(owners), seams_.timers.now(), length);
  return {};
}

void Mds::end_grace_if_over() {
  if (!grace_.end_if_over(seams_.timers.now())) return;
  // Who did not come back must not reclaim from the next instance what others may take from now on (8.4.2.1).
  if (auto clients = catalog().clients()) {
    for (const volume::ClientRecord& client : *clients) {
      if (client.boot_instance != volume_->boot_instance()) (void)catalog().erase_client(client.owner);
    }
  }
  spdlog::info("the grace period is over");
  reaper_->enable();
}

bool Mds::in_grace() {
  end_grace_if_over();
  return grace_.active(seams_.timers.now());
}

nfs::Status Mds::client_confirmed(compound::Context& context, const session::Client& client) {
  volume::ClientRecord record;
  record.owner = client.owner;
  record.principal = session::to_string(client.principal);
  record.verifier = client.verifier.bytes;
  record.clientid = client.id;
  record.boot_instance = volume_->boot_instance();
  record.confirmed = seams_.clock.wall();
  if (auto put = catalog().put_client(record); !put) return volume_status(put.error());
  recorded_[client.id] = client.owner;
  grace_.reclaiming(client.owner, seams_.timers.now());
  context.wait_durable(catalog().ticket());
  return {};
}

nfs::Status Mds::reclaim_complete(compound::Context& context, bool one_fs) {
  if (one_fs) return {};  // nothing migrates here
  const session::Client* client = context.client();
  if (client == nullptr) return {};
  if (auto record = catalog().get_client(client->owner)) {
    record->reclaim_complete = true;
    if (auto put = catalog().put_client(*record); !put) return volume_status(put.error());
    context.wait_durable(catalog().ticket());
  }
  grace_.complete(client->owner);
  end_grace_if_over();
  return {};
}

uint32_t Mds::sequence_flags(const session::Client& client) {
  uint32_t flags = 0;
  // Told once it is true at the data servers as well.
  if (state_->has_revoked(client.id) && pnfs_->settled()) flags |= nfs::SEQ4_STATUS_RECALLABLE_STATE_REVOKED;
  return flags;
}

bool Mds::has_state(session::ClientId client) const {
  return state_ && state_->has_state(client);
}

void Mds::client_removed(session::ClientId client, session::Removed) {
  for (FileId file : state_->drop_client(client)) {
    maybe_reap(file);
    send_lock_hints(file);
  }
  const auto owner = recorded_.find(client);
  if (owner == recorded_.end()) return;
  // The record may already be that of the owner's next incarnation.
  if (auto record = catalog().get_client(owner->second); record && record->clientid == client) {
    if (auto erased = catalog().erase_client(owner->second); !erased) {
      spdlog::warn("record of client {:#x}: {}", client, erased.error().reason);
    }
  }
  recorded_.erase(owner);
}

void Mds::session_removed(const session::Session& session) {
  backchannel_->session_removed(session.id());
}

void Mds::expire_client(state::clientid4 client) {
  spdlog::info("client {:#x}: expired", client);
  tell_ended("client.expired", client, 0, "", "its lease ran out, and its courtesy ended");
  sessions_->remove_client(client, session::Removed::expired);
}

bool Mds::is_courtesy(state::clientid4 client) const {
  const session::Client* known = std::as_const(*sessions_).client(client);
  return known != nullptr && !sessions_->lease_valid(*known, seams_.timers.now());
}

bool Mds::expire_courtesy(std::span<const state::clientid4> clients) {
  bool any = false;
  for (state::clientid4 client : clients) {
    if (!is_courtesy(client)) continue;
    expire_client(client);
    any = true;
  }
  return any;
}

void Mds::sweep_leases() {
  const TimePoint now = seams_.timers.now();
  const auto expired = sessions_->sweep(now);
  if (expired.size() == 1) {
    spdlog::info("client {:#x}: lease expired, its state is kept by courtesy", expired.front());
  } else if (!expired.empty()) {
    spdlog::info("{} clients: lease expired, their state is kept by courtesy", expired.size());
  }
  // Courtesy ends with time, and when the table is needed for clients that are there.
  const bool crowded = sessions_->client_count() > sessions_->config().limits.max_clients / 4 * 3;
  std::vector<state::clientid4> leaving;
  std::as_const(*sessions_).each_client([&](const session::Client& client) {
    if (!client.lease_expired) return;
    if (crowded || now - client.renewed > options_.lease + options_.courtesy) leaving.push_back(client.id);
  });
  for (state::clientid4 client : leaving) expire_client(client);
}

void Mds::maybe_reap(FileId file) {
  if (Inode inode; pnfs_ != nullptr && !state_->is_open(file) && names_->get(file, inode) && inode.nlink == 0)
    pnfs_->file_removed(file);
  if (reaper_ != nullptr) reaper_->consider(file);
}

void Mds::revoke_overdue() {
  const TimePoint now = seams_.timers.now();
  if (now < TimePoint{} + options_.lease) return;
  for (const StateTable::Recall& recall : state_->overdue(now - options_.lease)) {
    spdlog::warn("client {:#x} did not return its delegation of file {} within a lease: revoked", recall.client,
                 recall.file);
    tell_ended("delegation.revoked", recall.client, recall.file, compound::stateid_text(recall.stateid),
               "recalled a lease ago and not returned");
    state_->revoke_delegation(recall.stateid);
    maybe_reap(recall.file);
  }
}

void Mds::tell_ended(std::string_view op, session::ClientId client, uint64_t fileid, std::string_view stateid,
                     std::string_view reason) {
  if (!trace().enabled(trace::Kind::state)) return;
  const session::Client* known = std::as_const(*sessions_).client(client);
  const std::string owner = known != nullptr ? known->owner : std::string();
  trace::Event event;
  event.kind = trace::Kind::state;
  event.op = op;
  event.client = owner;
  if (fileid != 0) event.fileid = fileid;
  event.stateid = stateid;
  event.reason = reason;
  trace().record(event);
}

}  // namespace pnfs::mds
