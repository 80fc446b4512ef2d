#include "testbed/lab/hosts.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/base/scoped_fd.hpp"
#include "testbed/lab/node_command.hpp"

namespace pnfs::lab {

namespace {

constexpr std::string_view kSan = "172.28.1", kNfs = "172.28.2";
constexpr unsigned kClientNumber = 99;
constexpr int kFirstHostFd = kSwitchFd + 1;

Host data_server(unsigned number) {
  return {fmt::format("ds{}", number), fmt::format("{}.{}", kSan, 10 + number),
          fmt::format("{}.{}", kNfs, 10 + number)};
}

bool is_same_namespace(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 && one.st_ino == other.st_ino;
}

// Of the data server of that name; 0 for any other host.
unsigned data_server_number(std::string_view name) {
  unsigned number = 0;
  if (name.starts_with("ds")) std::from_chars(name.data() + 2, name.data() + name.size(), number);
  return name == fmt::format("ds{}", number) ? number : 0;
}

}  // namespace

std::vector<Host> hosts_with(unsigned data_servers) {
  std::vector<Host> hosts{{"target", fmt::format("{}.5", kSan), ""},
                          {"mds", fmt::format("{}.10", kSan), fmt::format("{}.10", kNfs)},
                          {"client", "", fmt::format("{}.{}", kNfs, kClientNumber)}};
  for (unsigned i = 1; i <= data_servers; ++i) hosts.push_back(data_server(i));
  return hosts;
}

Result<Host> find_host(std::string_view name) {
  if (const unsigned number = data_server_number(name); number >= 1 && number <= kMostHostDataServers)
    return data_server(number);
  for (Host& host : hosts_with(0))
    if (host.name == name) return std::move(host);
  return error(Errc::invalid, "there is no host '{}': hosts are target, mds, client, ds1, ds2 and so on", name);
}

std::vector<Host> hosts_of(const LabState& lab) {
  std::vector<Host> hosts = hosts_with(0);
  for (const Server& server : lab.servers)
    if (const unsigned number = data_server_number(server.name); number != 0) hosts.push_back(data_server(number));
  return hosts;
}

int host_fd(std::string_view name) {
  const auto others = hosts_with(0);
  for (size_t i = 0; i < others.size(); ++i)
    if (others[i].name == name) return kFirstHostFd + int(i);
  const unsigned number = data_server_number(name);
  if (number == 0 || number > kMostHostDataServers) return -1;
  return kFirstHostFd + int(others.size() + number - 1);
}

std::string guest_host_address(unsigned number) {
  return fmt::format("{}.{}", kNfs, kClientNumber + number);
}

Result<std::vector<std::string>> host_namespaces(const LabState& lab, std::string_view host) {
  if (!lab.network || !is_running(*lab.network)) {
    return error(Errc::not_found,
                 "the lab in '{}' has no network of hosts that runs; it comes with: pnfslab up --topology hosts",
                 lab.folder);
  }
  const std::string holder = fmt::format("/proc/{}", lab.network->pid);
  std::vector<std::string> files;
  if (!is_same_namespace(holder + "/ns/user", "/proc/self/ns/user")) files.push_back(holder + "/ns/user");
  files.push_back(fmt::format("{}/fd/{}", holder, host == "switch" ? kSwitchFd : host_fd(host)));
  struct stat about {};
  if (::stat(files.back().c_str(), &about) == 0) return files;
  return error(Errc::not_found, "this lab has no host '{}'; it has target, mds, client and its data servers", host);
}

Result<void> add_host(const LabState& lab, const std::string& name) {
  const auto added = send_command(lab.socket_file("network"), "add " + name);
  return added ? Result<void>{} : added.error().with_context("the network of the hosts");
}

Result<void> remove_host(const LabState& lab, const std::string& name) {
  if (!host_namespaces(lab, name)) return {};
  const auto removed = send_command(lab.socket_file("network"), "remove " + name);
  return removed ? Result<void>{} : removed.error().with_context("the network of the hosts");
}

Result<void> join_host(const LabState& lab, std::string_view host) {
  if (!lab.network) return {};
  const auto files = host_namespaces(lab, host);
  if (!files) return files.error();
  for (const std::string& file : *files) {
    const ScopedFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::setns(fd.get(), 0) != 0)
      return error(Errc::permission, "entering the host {} ({}): {}", host, file, std::strerror(errno));
  }
  return {};
}

}  // namespace pnfs::lab
