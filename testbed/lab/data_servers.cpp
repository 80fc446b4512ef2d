#include "testbed/lab/data_servers.hpp"

#include <filesystem>
#include <sstream>
#include <thread>

#include "testbed/lab/daemon.hpp"
#include "testbed/lab/hosts.hpp"
#include "testbed/lab/interrupt.hpp"
#include "testbed/lab/lab.hpp"
#include "testbed/lab/node_command.hpp"

namespace pnfs::lab {

namespace {

using namespace std::chrono_literals;
constexpr auto kPoll = 200ms;
constexpr auto kDataServerStopGrace = 5000ms;

Result<std::string> tell_mds(const LabState& lab, const std::string& command) {
  auto answer = send_command(lab.socket_file("mds"), command);
  if (!answer) return answer.error().with_context("mds");
  return answer;
}

// Until `done` says so. cancelled, timeout.
Result<void> wait_until(std::chrono::seconds limit, const std::function<Result<bool>()>& done,
                        const std::function<void()>& tick, std::string_view what) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  for (;;) {
    auto now = done();
    if (!now) return now.error();
    if (*now) return {};
    if (interrupted()) return error(Errc::cancelled, "interrupted");
    if (std::chrono::steady_clock::now() > give_up)
      return error(Errc::timeout, "{} s were not enough: {}", limit.count(), what);
    tick();
    std::this_thread::sleep_for(kPoll);
  }
}

Result<void> check_are_processes(const LabState& lab) {
  if (!lab.containers) return {};
  return error(Errc::unsupported,
               "the data servers of this lab are containers: testbed/docker/CONTAINERS.md tells how others are added");
}

// As `model` was started, but by another name and at another place.
std::vector<std::string> command_like(const LabState& lab, const Server& model, const Server& server) {
  std::vector<std::string> words = model.command;
  const std::string place = fmt::format("{}:{}", server.address, server.port);
  const std::pair<std::string_view, std::string> values[] = {
      {"--node", server.name},
      {"--state-socket", lab.socket_file(server.name)},
      {"--trace", lab.trace_file(server.name)},
      {"--capture", lab.capture_file(server.name)},
      {"--listen", place},
      {"--advertise", place},
  };
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    for (const auto& [option, value] : values)
      if (words[i] == option) words[i + 1] = value;
    if (words[i] == "--initiator-name")
      words[i + 1].replace(words[i + 1].size() - model.name.size(), model.name.size(), server.name);
  }
  return words;
}

Result<Server> next_data_server(const LabState& lab) {
  const Server* model = nullptr;
  for (const Server& one : lab.servers)
    if (one.role == "ds") model = &one;
  const Server* mds = lab.find("mds");
  if (mds == nullptr || model == nullptr)
    return error(Errc::not_found, "the lab has no data server to start another like");
  unsigned number = 1;
  while (lab.find(data_server_name(number)) != nullptr) ++number;
  Server server;
  server.role = "ds";
  server.name = data_server_name(number);
  server.address = model->address;
  server.port = data_server_port(*mds, number);
  if (lab.network) {
    const auto host = find_host(server.name);
    if (!host) return error(Errc::no_space, "this topology has addresses for {} data servers", kMostHostDataServers);
    server.address = host->nfs;
    server.port = kHostNfsPort;
  }
  server.command = command_like(lab, *model, server);
  return server;
}

}  // namespace

Result<std::vector<DataServerState>> list_data_servers(const LabState& lab) {
  auto answer = tell_mds(lab, "ds list");
  if (!answer) return answer.error();
  std::vector<DataServerState> out;
  std::istringstream lines(*answer);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    DataServerState one;
    std::string draining, used;
    words >> one.name >> one.state >> draining >> used >> one.addresses;
    one.draining = draining == "draining";
    one.used = used == "used";
    if (!one.name.empty()) out.push_back(std::move(one));
  }
  return out;
}

Result<Server> add_data_server(LabState& lab) {
  if (auto fine = check_are_processes(lab); !fine) return fine.error();
  const InterruptGuard guard;  // lab.json must tell of all that runs
  if (interrupted()) return error(Errc::cancelled, "interrupted");
  auto next = next_data_server(lab);
  if (!next) return next.error();
  const std::string name = next->name;
  if (lab.network) {
    (void)remove_host(lab, name);  // one without a server is left by a `ds add` that was killed
    if (auto added = add_host(lab, name); !added) return added.error();
  }
  std::error_code ignored;
  for (const std::string& file : {lab.trace_file(name), lab.capture_file(name), lab.socket_file(name)})
    std::filesystem::remove(file, ignored);
  lab.servers.push_back(std::move(*next));
  if (auto started = start_again(lab, name); !started) {
    const Server failed = std::move(lab.servers.back());
    lab.servers.pop_back();
    if (failed.pid != 0) stop_process(failed.pid, failed.started, kDataServerStopGrace);
    if (lab.network) (void)remove_host(lab, name);
    return started.error();
  }
  return lab.servers.back();
}

Result<void> drain_data_server(const LabState& lab, const std::string& name, bool draining) {
  auto told = tell_mds(lab, fmt::format("ds {} {}", draining ? "drain" : "undrain", name));
  return told ? Result<void>{} : told.error();
}

Result<void> wait_unused(const LabState& lab, const std::string& name, std::chrono::seconds limit,
                         const std::function<void()>& tick) {
  const InterruptGuard guard;
  const auto unused = [&]() -> Result<bool> {
    auto servers = list_data_servers(lab);
    if (!servers) return servers.error();
    for (const DataServerState& one : *servers)
      if (one.name == name) return !one.used;
    return true;
  };
  return wait_until(limit, unused, tick, "clients have not returned the layouts that name " + name);
}

Result<void> remove_data_server(LabState& lab, const std::string& name, std::chrono::seconds limit) {
  if (auto fine = check_are_processes(lab); !fine) return fine;
  const InterruptGuard guard;
  if (const Server* server = lab.find(name); server != nullptr && is_running(*server))
    stop_process(server->pid, server->started, kDataServerStopGrace);
  const auto forgotten = [&]() -> Result<bool> {
    auto removed = tell_mds(lab, "ds remove " + name);
    if (removed) return true;
    // It is being fenced, or its connection is just closing.
    if (removed.error().reason.find("being fenced") != std::string::npos ||
        removed.error().reason.find("still connected") != std::string::npos)
      return false;
    return removed.error();
  };
  const auto silently = [] {};
  if (auto done = wait_until(limit, forgotten, silently, "the MDS is still fencing " + name); !done) return done;
  std::erase_if(lab.servers, [&](const Server& server) { return server.name == name; });
  std::error_code ignored;
  std::filesystem::remove(lab.socket_file(name), ignored);
  auto gone = lab.network ? remove_host(lab, name) : Result<void>{};
  if (auto saved = save_state(lab); !saved) return saved;
  return gone;
}

}  // namespace pnfs::lab
