#include "testbed/lab/guest_run.hpp"

namespace pnfs::lab {

kernel::GuestOptions guest_options_for(const LabState& lab) {
  kernel::GuestOptions guest;
  for (const Server& server : lab.servers) {
    if (server.role == "target") continue;
    if (server.role == "mds") guest.mount_port = server.port;
    guest.servers.push_back({server.name, lab.socket_file(server.name), server.port});
  }
  guest.mount_path = lab.export_path;
  return guest;
}

}  // namespace pnfs::lab
