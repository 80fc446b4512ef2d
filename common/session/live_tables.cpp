#include "common/session/live_tables.hpp"

#include <algorithm>

namespace pnfs::session {

namespace {

using live::Row;

std::string_view state_of(SessionTable& table, const Client& client, TimePoint now) {
  if (!client.confirmed) return "unconfirmed";
  return table.lease_valid(client, now) ? "active" : "courtesy";
}

// Of all the client's sessions: one that works is enough (RFC 8881 2.10.3.1).
std::string_view back_channel_of(SessionTable& table, const Client& client) {
  bool any = false;
  for (const SessionId& id : client.sessions) {
    Session* session = table.session(id);
    if (session == nullptr || !session->wants_back()) continue;
    if (!session->back_path_down()) return "up";
    any = true;
  }
  return any ? "down" : "none";
}

std::string first_address(SessionTable& table, const Client& client, const AddressOf& address) {
  for (const SessionId& id : client.sessions) {
    Session* session = table.session(id);
    if (session == nullptr) continue;
    for (const auto& [connection, direction] : session->connections())
      if (std::string at = address(connection); !at.empty()) return at;
  }
  return {};
}

std::string_view direction_name(Direction direction) {
  return direction == Direction::both ? "both" : direction == Direction::back ? "back" : "fore";
}

Row session_row(const Session& session, const AddressOf& address) {
  const SlotTable& slots = session.slots();
  Row connections = Row::array();
  for (const auto& [connection, direction] : session.connections())
    connections.push_back({{"address", address(connection)}, {"direction", direction_name(direction)}});
  return {{"sessionid", to_string(session.id())},
          {"clientid", live::hex(session.client())},
          {"slots", slots.size()},
          {"busy", slots.busy_count()},
          {"target_highest_slot", slots.target_highest_slot()},
          {"cached_bytes", slots.cached_bytes()},
          {"max_request_bytes", session.fore().max_request_bytes},
          {"max_response_bytes", session.fore().max_response_bytes},
          {"max_operations", session.fore().max_operations},
          {"back_channel", !session.wants_back() ? "none" : session.back_path_down() ? "down" : "up"},
          {"back_slots", session.back().max_requests},
          {"connections", std::move(connections)}};
}

}  // namespace

void fill_clients(SessionTable& table, TimePoint now, const AddressOf& address, const MoreOfClient& more,
                  live::Table& out) {
  std::as_const(table).each_client([&](const Client& client) {
    if (!out.wants_client(client.id)) return;
    out.add([&] {
      const Duration left = client.renewed + table.config().lease - now;
      Row row{{"clientid", live::hex(client.id)},
              {"owner", live::printable(client.owner)},
              {"address", first_address(table, client, address)},
              {"principal", to_string(client.principal)},
              {"implementation", live::printable(client.implementation.name)},
              {"state", state_of(table, client, now)},
              {"lease_left_s", live::seconds(std::max(left, Duration{}))},
              {"reclaim_complete", client.reclaim_complete},
              {"sessions", client.sessions.size()},
              {"back_channel", back_channel_of(table, client)}};
      if (more) more(client, row);
      return row;
    });
  });
}

void fill_sessions(SessionTable& table, const AddressOf& address, live::Table& out) {
  std::as_const(table).each_client([&](const Client& client) {
    if (!out.wants_client(client.id)) return;
    for (const SessionId& id : client.sessions)
      if (const Session* session = table.session(id)) out.add([&] { return session_row(*session, address); });
  });
}

}  // namespace pnfs::session
