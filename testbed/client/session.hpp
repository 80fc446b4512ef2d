// One client's session with one server: EXCHANGE_ID, CREATE_SESSION, slots, and a connection that is made again when it
// breaks (RFC 8881 2.10).
//
// Threading: the executor's thread. Many run() at once, as many on the wire as there are slots.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/io/event.hpp"
#include "common/io/timer_queue.hpp"
#include "common/rpc/client.hpp"
#include "testbed/client/compound.hpp"

namespace pnfs::client {

struct SessionSetup {
  io::Endpoint server;
  std::string owner = "pnfslab client";  // co_ownerid
  nfs::verifier4 verifier;               // co_verifier: another one is another boot of this client
  uint32_t exchange_flags = 0;           // EXCHGID4_FLAG_USE_PNFS_DS for a data server
  rpc::Credential credential = rpc::Credential::sys(0, 0);
  uint32_t slots = 16;
  uint32_t max_request_bytes = (1u << 20) + 4096;
  uint32_t max_response_bytes = (1u << 20) + 4096;
  uint32_t callback_program = 0;                // 0: no back channel
  Duration timeout = std::chrono::seconds(30);  // for one call
  Duration connect_timeout = std::chrono::seconds(5);
  uint32_t attempts = 5;  // of a call over new connections, before it fails
};

class Session {
 public:
  Session(rpc::Client& rpc, io::TimerQueue& timers, SessionSetup setup);

  // Connects, EXCHANGE_ID, CREATE_SESSION. Also after the server forgot us: a new session, and a new client id if it
  // must be.
  io::Task<Outcome<>> establish();
  // A new connection for the same session, bound for both directions where there is a back channel.
  io::Task<Outcome<>> reconnect();
  // DESTROY_SESSION, DESTROY_CLIENTID, and the connection is closed.
  io::Task<Outcome<>> destroy();
  // Only the connection.
  void disconnect(std::string_view reason);

  // Sends the compound with SEQUENCE in front, on a free slot; the same slot and sequence id again when the connection
  // breaks. A failure of SEQUENCE is a Failure; one of a later operation is in the reply.
  io::Task<Outcome<ReplyPtr>> run(std::shared_ptr<Compound> compound);
  // Sends the compound as it is.
  io::Task<Outcome<ReplyPtr>> run_bare(std::shared_ptr<Compound> compound);

  const SessionSetup& setup() const { return setup_; }
  // Who asks from now on (EXCHANGE_ID and CREATE_SESSION were somebody else's business).
  void set_credential(const rpc::Credential& credential) { setup_.credential = credential; }
  nfs::clientid4 clientid() const { return clientid_; }
  const nfs::sessionid4& sessionid() const { return sessionid_; }
  uint32_t exchange_flags() const { return eir_flags_; }  // of the server's answer
  const std::string& server_major_id() const { return server_major_id_; }
  uint64_t server_minor_id() const { return server_minor_id_; }
  const std::string& server_scope() const { return server_scope_; }
  const nfs::channel_attrs4& fore_channel() const { return fore_; }
  bool has_back_channel() const { return back_channel_; }
  uint32_t status_flags() const { return status_flags_; }      // of the last SEQUENCE
  uint32_t establishments() const { return establishments_; }  // client ids this session has had
  const std::shared_ptr<rpc::Connection>& connection() const { return connection_; }
  io::TimerQueue& timers() { return timers_; }

  // For tests that drive slots by hand.
  nfs::SEQUENCE4args sequence_args(uint32_t slot) const;
  void slot_used(uint32_t slot) { ++slots_[slot].sequence; }

 private:
  struct Slot {
    uint32_t sequence = 1;  // the next one
    bool busy = false;
  };
  io::Task<Outcome<>> connect();
  io::Task<Outcome<>> exchange_id();
  io::Task<Outcome<>> create_session();
  io::Task<Outcome<ReplyPtr>> attempt(std::shared_ptr<Compound> compound);

  rpc::Client& rpc_;
  io::TimerQueue& timers_;
  SessionSetup setup_;
  std::shared_ptr<rpc::Connection> connection_;
  bool connecting_ = false;
  io::Event connected_;

  nfs::clientid4 clientid_ = 0;
  uint32_t create_sequence_ = 0;
  nfs::sessionid4 sessionid_;
  uint32_t eir_flags_ = 0;
  std::string server_major_id_;
  uint64_t server_minor_id_ = 0;
  std::string server_scope_;
  nfs::channel_attrs4 fore_;
  bool back_channel_ = false;
  uint32_t status_flags_ = 0;
  uint32_t establishments_ = 0;

  std::vector<Slot> slots_;
  io::Event slot_free_;
};

}  // namespace pnfs::client
