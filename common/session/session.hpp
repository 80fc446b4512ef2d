// A session: its two channels, the slot table of the fore channel with the reply cache, and the connections bound to it
// (RFC 8881 2.10). Pure decisions; no clock, no socket.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "common/session/slot_table.hpp"
#include "common/session/types.hpp"

namespace pnfs::session {

class Session {
 public:
  Session(SessionId id, ClientId client, ChannelAttrs fore, ChannelAttrs back, uint32_t back_program,
          std::vector<CallbackSecurity> security);

  const SessionId& id() const { return id_; }
  ClientId client() const { return client_; }
  const ChannelAttrs& fore() const { return fore_; }
  const ChannelAttrs& back() const { return back_; }
  SlotTable& slots() { return slots_; }
  const SlotTable& slots() const { return slots_; }

  uint32_t back_program() const { return back_program_; }
  const std::vector<CallbackSecurity>& security() const { return security_; }
  // BACKCHANNEL_CTL replaces both for callbacks sent from now on (RFC 8881 18.33.3).
  void set_backchannel(uint32_t program, std::vector<CallbackSecurity> security);

  // Connections. Adding to what is bound keeps what was there.
  void bind(ConnectionId connection, Direction direction);
  void unbind(ConnectionId connection);
  // It no longer serves callbacks; what else it serves stays.
  void unbind_back(ConnectionId connection);
  std::optional<Direction> binding(ConnectionId connection) const;
  size_t connection_count() const { return connections_.size(); }
  // The connection bound to the back channel last: the one most likely to work. 0: none.
  ConnectionId back_connection() const;
  // All connections of the back channel, the one bound last first.
  std::vector<ConnectionId> back_connections() const;
  const std::map<ConnectionId, Direction>& connections() const { return connections_; }

  // What the sender of callbacks learnt (SEQ4_STATUS_CB_PATH_DOWN_SESSION, SEQ4_STATUS_BACKCHANNEL_FAULT).
  bool back_path_down() const { return back_path_down_ || back_connection() == 0; }
  void set_back_path_down(bool down) { back_path_down_ = down; }
  bool back_fault() const { return back_fault_; }
  void set_back_fault() { back_fault_ = true; }
  // The client wanted a back channel (CONN_BACK_CHAN or a later binding): only then is its absence worth a flag.
  bool wants_back() const { return wants_back_; }
  void set_wants_back() { wants_back_ = true; }

 private:
  SessionId id_;
  ClientId client_;
  ChannelAttrs fore_;
  ChannelAttrs back_;
  SlotTable slots_;
  uint32_t back_program_;
  std::vector<CallbackSecurity> security_;
  std::map<ConnectionId, Direction> connections_;
  std::vector<ConnectionId> back_order_;  // oldest first
  bool back_path_down_ = false;
  bool back_fault_ = false;
  bool wants_back_ = false;
};

}  // namespace pnfs::session
