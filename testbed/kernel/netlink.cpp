#include "testbed/kernel/netlink.hpp"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace pnfs::kernel {

namespace {

// A request is built in a string: header, fixed part, attributes (nested ones are patched when they are complete).
template <class T>
void put(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Body>
std::string begin(uint16_t type, uint16_t flags, const Body& body) {
  std::string request;
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  put(request, header);
  put(request, body);
  return request;
}

void attribute(std::string& to, uint16_t type, std::string_view value) {
  rtattr header{};
  header.rta_type = type;
  header.rta_len = uint16_t(RTA_LENGTH(value.size()));
  put(to, header);
  to.append(value);
  to.resize(NLMSG_ALIGN(to.size()), '\0');
}

void name_attribute(std::string& to, const std::string& name) {
  attribute(to, IFLA_IFNAME, std::string_view(name.c_str(), name.size() + 1));
}

void number_attribute(std::string& to, uint16_t type, uint32_t value) {
  attribute(to, type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

}  // namespace

Result<Netlink> Netlink::open() {
  ScopedFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return error(Errc::io, "opening a netlink socket: {}", std::strerror(errno));
  return Netlink(std::move(fd));
}

Result<void> Netlink::ask(std::string& request, const std::string& doing) {
  const uint32_t length = uint32_t(request.size());
  std::memcpy(request.data(), &length, sizeof length);
  char answer[4096];
  const ssize_t sent = ::send(socket_.get(), request.data(), request.size(), 0);
  const ssize_t got = sent < 0 ? -1 : ::recv(socket_.get(), answer, sizeof answer, 0);
  if (got < ssize_t(sizeof(nlmsghdr) + sizeof(nlmsgerr))) return error(Errc::io, "{}: {}", doing, std::strerror(errno));
  nlmsgerr outcome{};
  std::memcpy(&outcome, answer + sizeof(nlmsghdr), sizeof outcome);
  if (outcome.error != 0) return error(Errc::io, "{}: {}", doing, std::strerror(-outcome.error));
  return {};
}

Result<void> Netlink::add_veth(const std::string& name, const std::string& peer, int peer_namespace) {
  std::string peer_part;
  put(peer_part, ifinfomsg{});
  name_attribute(peer_part, peer);
  if (peer_namespace >= 0) number_attribute(peer_part, IFLA_NET_NS_FD, uint32_t(peer_namespace));
  std::string data;
  attribute(data, VETH_INFO_PEER, peer_part);
  std::string info;
  attribute(info, IFLA_INFO_KIND, "veth");
  attribute(info, IFLA_INFO_DATA, data);
  return add_link(name, info, "making the network interfaces " + name + " and " + peer);
}

Result<void> Netlink::add_bridge(const std::string& name) {
  std::string info;
  attribute(info, IFLA_INFO_KIND, "bridge");
  return add_link(name, info, "making the bridge " + name + " (kernel module bridge)");
}

Result<void> Netlink::add_link(const std::string& name, const std::string& info, const std::string& doing) {
  std::string request = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  name_attribute(request, name);
  attribute(request, IFLA_LINKINFO, info);
  return ask(request, doing);
}

Result<void> Netlink::remove(const std::string& name) {
  ifinfomsg which{};
  which.ifi_index = int(::if_nametoindex(name.c_str()));
  if (which.ifi_index == 0) return {};
  std::string request = begin(RTM_DELLINK, 0, which);
  return ask(request, "removing the network interface " + name);
}

Result<void> Netlink::plug(const std::string& name, const std::string& bridge) {
  ifinfomsg change{};
  change.ifi_index = int(::if_nametoindex(name.c_str()));
  std::string request = begin(RTM_NEWLINK, 0, change);
  number_attribute(request, IFLA_MASTER, ::if_nametoindex(bridge.c_str()));
  return ask(request, "plugging " + name + " into " + bridge);
}

Result<void> Netlink::change_state(const std::string& name, bool up) {
  ifinfomsg change{};
  change.ifi_index = int(::if_nametoindex(name.c_str()));
  change.ifi_flags = up ? IFF_UP : 0;
  change.ifi_change = IFF_UP;
  std::string request = begin(RTM_NEWLINK, 0, change);
  return ask(request, (up ? "bringing up " : "taking down ") + name);
}

Result<void> Netlink::add_address(const std::string& interface, const std::string& address, unsigned prefix) {
  in_addr value{};
  if (::inet_pton(AF_INET, address.c_str(), &value) != 1)
    return error(Errc::invalid, "'{}' is not an IPv4 address", address);
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = uint8_t(prefix);
  body.ifa_index = ::if_nametoindex(interface.c_str());
  const std::string_view bytes(reinterpret_cast<const char*>(&value), sizeof value);
  std::string request = begin(RTM_NEWADDR, NLM_F_CREATE, body);
  attribute(request, IFA_LOCAL, bytes);
  attribute(request, IFA_ADDRESS, bytes);
  return ask(request, fmt::format("giving {} the address {}", interface, address));
}

}  // namespace pnfs::kernel
