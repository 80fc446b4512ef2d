// Clients and sessions as tables (common/live/LIVE.md). Pure.
#pragma once

#include "common/live/table.hpp"
#include "common/session/session_table.hpp"

namespace pnfs::session {

// Where the other end of a connection is; "" when it is gone.
using AddressOf = std::function<std::string(ConnectionId)>;
// What else a server knows of a client (opens, layouts): put into its row.
using MoreOfClient = std::function<void(const Client&, live::Row&)>;

void fill_clients(SessionTable& table, TimePoint now, const AddressOf& address, const MoreOfClient& more,
                  live::Table& out);
void fill_sessions(SessionTable& table, const AddressOf& address, live::Table& out);

}  // namespace pnfs::session
