#include "common/compound/ops/connections.hpp"

#include "common/compound/role.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::compound {

void watch_connection(Context& context) {
  // The table outlives the server whose connection this is (Role's contract).
  session::SessionTable& sessions = context.role().sessions();
  context.connection().on_close([&sessions](rpc::Connection& c) { sessions.connection_closed(c.id()); });
}

}  // namespace pnfs::compound
