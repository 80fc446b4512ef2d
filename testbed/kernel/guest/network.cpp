// Loopback and the one interface of a guest, by ioctl: no ip program is needed.
#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

void set_address(sockaddr& to, const char* text) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &name.sin_addr);
  std::memcpy(&to, &name, sizeof name);
}

bool bring_up(int fd, const char* name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (::ioctl(fd, SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  return ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

void bring_up_network(const Settings& conf) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bring_up(fd, "lo");
  const std::string address = conf.get("address");
  if (!address.empty()) {
    const char* device = nullptr;
    for (const char* name : {"vec0", "eth0"}) {
      if (bring_up(fd, name)) {
        device = name;
        break;
      }
    }
    if (device == nullptr) {
      say("the guest has no network interface");
      ::close(fd);
      return;
    }
    ifreq request{};
    std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    set_address(request.ifr_addr, address.c_str());
    bool good = ::ioctl(fd, SIOCSIFADDR, &request) == 0;
    const in_addr mask{htonl(~0U << (32 - conf.number("prefix", 24)))};
    char mask_text[INET_ADDRSTRLEN];
    set_address(request.ifr_netmask, ::inet_ntop(AF_INET, &mask, mask_text, sizeof mask_text));
    good = ::ioctl(fd, SIOCSIFNETMASK, &request) == 0 && good;
    if (const std::string gateway = conf.get("gateway"); !gateway.empty()) {
      rtentry route{};
      set_address(route.rt_dst, "0.0.0.0");
      set_address(route.rt_genmask, "0.0.0.0");
      set_address(route.rt_gateway, gateway.c_str());
      route.rt_flags = RTF_UP | RTF_GATEWAY;
      good = ::ioctl(fd, SIOCADDRT, &route) == 0 && good;
    }
    if (!good) say(std::string("setting up ") + device + ": " + std::strerror(errno));
  }
  ::close(fd);
}

}  // namespace pnfs::guest
