#include "testbed/kernel/surroundings.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/namespace.hpp"
#include "testbed/kernel/netlink.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

constexpr const char* kHostInterface = "pnfs0";
constexpr const char* kGuestInterface = "pnfs1";
constexpr unsigned kTmpfsSlackMib = 2048;  // beyond the guest's memory; pages that are never written cost nothing
constexpr std::string_view kFolderPrefix = "pnfslab-guest-";

// The interface whose IPv4 network holds `address`.
Result<std::string> interface_towards(in_addr address) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return error(Errc::io, "reading the network interfaces: {}", std::strerror(errno));
  std::string found;
  for (const ifaddrs* each = all; each != nullptr && found.empty(); each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET || (each->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    const in_addr own = reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
    const in_addr mask = reinterpret_cast<const sockaddr_in*>(each->ifa_netmask)->sin_addr;
    if ((own.s_addr & mask.s_addr) == (address.s_addr & mask.s_addr)) found = each->ifa_name;
  }
  ::freeifaddrs(all);
  if (found.empty()) return error(Errc::not_found, "no network interface here is in the guest's network");
  return found;
}

// Only its owner knows that a folder is still in use; one whose owner has died was left by a kill.
void remove_stale_folders(const fs::path& top) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(top, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFolderPrefix)) continue;
    const pid_t owner = std::atoi(name.c_str() + kFolderPrefix.size());
    if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), failed);
  }
}

Result<std::string> make_run_folder() {
  const char* chosen = std::getenv("TMPDIR");
  const fs::path top = chosen != nullptr && *chosen == '/' ? chosen : "/dev/shm";
  struct statvfs about {};
  if (::statvfs(top.c_str(), &about) != 0)
    return error(Errc::not_found, "the folder {} for the guest's memory (TMPDIR): {}", top.string(),
                 std::strerror(errno));
  if ((about.f_flag & ST_NOEXEC) != 0) {
    return error(Errc::permission,
                 "{} is mounted noexec and cannot hold a guest's memory; name a tmpfs mounted exec with TMPDIR",
                 top.string());
  }
  remove_stale_folders(top);
  const fs::path folder = top / fmt::format("{}{}", kFolderPrefix, ::getpid());
  std::error_code failed;
  fs::create_directory(folder, failed);
  if (failed) return error(Errc::io, "making {}: {}", folder.string(), failed.message());
  return folder.string();
}

// Always the same for one address, so that a neighbour who remembers the guest's last life finds the next one.
std::string hardware_address_for(in_addr address) {
  const auto* part = reinterpret_cast<const unsigned char*>(&address);
  return fmt::format("02:50:{:02x}:{:02x}:{:02x}:{:02x}", part[0], part[1], part[2], part[3]);
}

// What the caller says about a guest that has an address of its own.
Result<Surroundings> chosen_place(const Settings& options) {
  Surroundings result;
  result.guest_address = options.get("guest_address");
  result.prefix = unsigned(options.number("guest_prefix", 24));
  result.gateway = options.get("guest_gateway");
  result.server_address = options.get("mount_address");
  in_addr address{};
  if (::inet_pton(AF_INET, result.guest_address.c_str(), &address) != 1)
    return error(Errc::invalid, "the guest's address '{}' is not an IPv4 address", result.guest_address);
  result.hardware_address = hardware_address_for(address);
  return result;
}

// The port of a bridge in another network namespace; we come back to ours.
Result<void> plug_into(int bridge_namespace, const std::string& port, const std::string& bridge) {
  const ScopedFd ours(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!ours || ::setns(bridge_namespace, CLONE_NEWNET) != 0)
    return error(Errc::permission, "entering the namespace of the bridge {}: {}", bridge, std::strerror(errno));
  Result<void> done;
  auto netlink = Netlink::open();
  if (!netlink) done = netlink.error();
  if (done) done = netlink->plug(port, bridge);
  if (done) done = netlink->set_up(port);
  if (::setns(ours.get(), CLONE_NEWNET) != 0)
    return error(Errc::permission, "leaving the namespace of the bridge {}: {}", bridge, std::strerror(errno));
  return done;
}

}  // namespace

Result<Surroundings> bridged_surroundings(const Settings& options, const std::string& guest_folder) {
  auto result = chosen_place(options);
  if (!result) return result;
  result->run_folder = guest_folder + "/run";
  result->guest_interface = result->capture_interface = kGuestInterface;
  const std::string bridge = options.get("bridge"), user = options.get("user_namespace");
  const ScopedFd segment(::open(options.get("bridge_namespace").c_str(), O_RDONLY | O_CLOEXEC));
  if (!segment) {
    return error(Errc::not_found, "the network of the lab is gone ({}: {}); is it up (pnfslab status)?",
                 options.get("bridge_namespace"), std::strerror(errno));
  }
  if (auto done = user.empty() ? enter_namespaces() : enter_namespaces_below(user); !done) return done.error();
  const unsigned memory_mib = unsigned(options.number("memory_mib", 256));
  if (auto done = mount_private_tmpfs(result->run_folder, memory_mib + kTmpfsSlackMib); !done) return done.error();
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (auto done = netlink->set_up("lo"); !done) return done.error();
  const std::string port = fmt::format("guest{}", options.number("number", 1));
  if (auto done = netlink->add_veth(kGuestInterface, port, segment.get()); !done) {
    return done.error().with_context(
        fmt::format("guest {} of this lab (does one of that number run already?)", options.number("number", 1)));
  }
  if (auto done = plug_into(segment.get(), port, bridge); !done) return done.error();
  if (auto done = netlink->set_up(kGuestInterface); !done) return done.error();
  return result;
}

Result<Surroundings> private_surroundings(const Settings& options, const std::string& guest_folder) {
  Surroundings result;
  result.run_folder = guest_folder + "/run";
  result.guest_interface = kGuestInterface;
  result.capture_interface = kHostInterface;
  const long long number = options.number("number", 1);
  result.server_address = result.gateway = fmt::format("10.77.{}.1", number);
  result.guest_address = fmt::format("10.77.{}.2", number);

  if (auto done = enter_namespaces(); !done) return done.error();
  const unsigned memory_mib = unsigned(options.number("memory_mib", 256));
  if (auto done = mount_private_tmpfs(result.run_folder, memory_mib + kTmpfsSlackMib); !done) return done.error();
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (auto done = netlink->set_up("lo"); !done) return done.error();
  if (auto done = netlink->add_veth(kHostInterface, kGuestInterface); !done) return done.error();
  for (const char* name : {kHostInterface, kGuestInterface})
    if (auto done = netlink->set_up(name); !done) return done.error();
  if (auto done = netlink->add_address(kHostInterface, result.server_address, result.prefix); !done)
    return done.error();
  return result;
}

Result<Surroundings> shared_surroundings(const Settings& options) {
  auto result = chosen_place(options);
  if (!result) return result;
  result->confined = false;
  result->guest_interface = options.get("attach");
  if (result->guest_interface == "auto") {
    in_addr address{};
    ::inet_pton(AF_INET, result->guest_address.c_str(), &address);
    auto found = interface_towards(address);
    if (!found) return found.error().with_context(fmt::format("attaching the guest {}", result->guest_address));
    result->guest_interface = *found;
  }
  result->capture_interface = result->guest_interface;
  const ScopedFd probe(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  if (!probe) {
    return error(Errc::permission, "attaching the guest to {} needs a packet socket (capability NET_RAW): {}",
                 result->guest_interface, std::strerror(errno));
  }
  auto folder = make_run_folder();
  if (!folder) return folder.error();
  result->run_folder = *folder;
  return result;
}

void leave_surroundings(const Surroundings& surroundings) {
  if (surroundings.confined || surroundings.run_folder.empty()) return;
  std::error_code ignored;
  fs::remove_all(surroundings.run_folder, ignored);
}

}  // namespace pnfs::kernel
