// A client of the state simulation: one session with the metadata server, driven operation by operation. It does
// nothing of its own accord but acknowledge recalls.
#pragma once

#include <algorithm>

#include "testbed/client/callback_service.hpp"
#include "testbed/client/session.hpp"
#include "testbed/cluster/cluster.hpp"

namespace pnfs::cluster {

struct Actor final : client::CallbackHandler {
  Actor(std::string name, Cluster& cluster) : name(std::move(name)), cluster(cluster), callbacks(this) {
    network = &cluster.add_node(this->name);
    rpc = std::make_unique<rpc::Client>(*network, cluster.sim().timers());
    rpc->add_service(callbacks);
    new_incarnation();
  }

  std::string name;
  Cluster& cluster;
  io::Network* network = nullptr;
  client::CallbackService callbacks;
  std::unique_ptr<rpc::Client> rpc;
  std::unique_ptr<client::Session> session;
  std::vector<nfs::stateid4> recalled;  // by CB_RECALL
  uint64_t incarnation = 0;
  bool asleep = false;  // does not renew its lease, which has run out
  bool gone = false;    // the server let go of all it had

  // The client machine starts anew: another verifier, nothing known.
  void new_incarnation() {
    client::SessionSetup setup;
    setup.server = cluster.mds_address();
    setup.owner = name;
    ++incarnation;
    for (size_t i = 0; i < 8; ++i) setup.verifier.bytes[i] = static_cast<std::byte>(incarnation >> (56 - 8 * i));
    setup.slots = 8;
    setup.callback_program = client::CallbackService::kProgram;
    setup.timeout = std::chrono::seconds(1);
    if (session) session->disconnect("a new incarnation");
    session = std::make_unique<client::Session>(*rpc, cluster.sim().timers(), setup);
    recalled.clear();
  }
  nfs::clientid4 id() const { return session->clientid(); }

  // EXCHANGE_ID and CREATE_SESSION, again and again while answers get lost.
  std::string establish() {
    for (int tries = 0;; ++tries) {
      const auto before = session->sessionid();
      const auto done = cluster.run(session->establish());
      if (done) {
        callbacks.remove_session(before);
        callbacks.add_session(session->sessionid());
        return "";
      }
      if (done.error().status != nfs::NFS4_OK || tries == 20) return "establish: " + client::to_string(done.error());
      session->disconnect("no answer");
    }
  }

  io::Task<nfs::nfsstat4> callback(nfs::nfs_cb_opnum4 op, const void* args, void*) override {
    if (op == nfs::OP_CB_RECALL) recalled.push_back(static_cast<const nfs::CB_RECALL4args*>(args)->stateid);
    co_return nfs::NFS4_OK;
  }
  bool was_recalled(const nfs::stateid4& stateid) const {
    return std::any_of(recalled.begin(), recalled.end(), [&](const auto& r) { return r.other == stateid.other; });
  }
};

}  // namespace pnfs::cluster
