#include "testbed/lab/guest_run.hpp"

#include <unistd.h>

#include <boost/asio/ip/network_v4.hpp>

#include "common/io/stream.hpp"
#include "testbed/lab/data_servers.hpp"
#include "testbed/lab/hosts.hpp"

namespace pnfs::lab {

namespace {

// A machine of its own in the network of the hosts.
Result<void> place_among_hosts(const LabState& lab, kernel::GuestOptions& guest) {
  auto bridges = host_namespaces(lab, "switch");
  if (!bridges) return bridges.error();
  guest.bridge = "nfs";
  guest.bridge_namespace = bridges->back();
  if (bridges->size() == 2) guest.user_namespace = bridges->front();
  guest.guest_address = guest_host_address(guest.number);
  guest.guest_prefix = kHostPrefix;
  guest.mount_address = lab.find("mds")->address;
  return {};
}

// So many data servers may come while the guest runs (`pnfslab ds add`) and are reached by it.
constexpr unsigned kMayCome = 4;

void add_servers(const LabState& lab, kernel::GuestOptions& guest) {
  for (const Server& server : lab.servers)
    if (server.role != "target") guest.servers.push_back({server.name, lab.socket_file(server.name), server.port});
  const Server* mds = lab.find("mds");
  for (unsigned number = 1, more = 0; mds != nullptr && more < kMayCome; ++number) {
    const std::string name = data_server_name(number);
    if (lab.find(name) != nullptr) continue;
    guest.servers.push_back({name, lab.socket_file(name), data_server_port(*mds, number)});
    ++more;
  }
}

}  // namespace

Result<kernel::GuestOptions> guest_options_for(const LabState& lab, unsigned number) {
  kernel::GuestOptions guest;
  guest.number = number;
  guest.mount_path = lab.export_path;
  if (const Server* mds = lab.find("mds"); mds != nullptr) guest.mount_port = mds->port;
  if (!lab.network) {
    add_servers(lab, guest);
  } else if (auto placed = place_among_hosts(lab, guest); !placed) {
    return placed.error();
  }
  return guest;
}

Result<kernel::GuestOptions> guest_options_for(const GuestNetwork& network, unsigned number) {
  const auto server = io::parse_endpoint(network.server);
  if (!server) return server.error();
  boost::system::error_code bad;
  const auto place = boost::asio::ip::make_network_v4(network.guest_address, bad);
  if (bad) {
    return error(Errc::invalid,
                 "the guest's address '{}' is not ADDRESS/PREFIX (--guest-address or PNFSLAB_GUEST_ADDRESS, with an "
                 "address that nobody else has)",
                 network.guest_address);
  }
  kernel::GuestOptions guest;
  guest.attach_interface = network.interface.empty() ? "auto" : network.interface;
  guest.guest_address = boost::asio::ip::address_v4(place.address().to_uint() + number - 1).to_string();
  guest.guest_prefix = place.prefix_length();
  guest.guest_gateway = network.gateway;
  guest.mount_address = server->address().to_string();
  guest.mount_port = server->port();
  // The container's name: two clients of one name would be taken for one.
  char name[60] = {};
  gethostname(name, sizeof name - 1);
  guest.hostname = number == 1 ? std::string(name) : fmt::format("{}-{}", name, number);
  return guest;
}

}  // namespace pnfs::lab
