// What `up` leaves behind for the other subcommands: the state folder with one file, lab.json, that says which servers
// run where. Beside it lie the LUN image, a log, a trace and a control socket per server.
//
//   STATE/target/{volume,session}
//   STATE/capture/<node>.pcapng (up --capture)
//   STATE/lab.json   STATE/lun.img   STATE/log/<node>.log   STATE/trace/<node>.jsonl   STATE/<node>.sock
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::lab {

struct Server {
  std::string role;     // "target", "mds" or "ds"
  std::string name;     // "target", "mds", "ds1", ...
  std::string address;  // where it listens
  uint16_t port = 0;
  pid_t pid = 0;
  uint64_t started = 0;  // the kernel's start time of pid (clock ticks since boot), so that a reused pid is not ours
  std::vector<std::string> command;  // with which it was started, and is started again
  std::string control;               // its control socket, where it is no process of this machine (a container)
};

struct LabState {
  std::string folder;
  std::string profile;
  std::string export_path = "/";
  std::string store_url;
  std::vector<Server> servers;
  std::optional<Server> network;  // topology `hosts` (hosts.hpp): the process that holds the hosts' network

  bool containers = false;  // docker-compose.yml: servers are containers, the folder is a volume that they share

  std::string_view topology() const { return containers ? "containers" : network ? "hosts" : "loopback"; }
  const Server* find(std::string_view name) const;
  unsigned data_servers() const;
  std::string log_file(std::string_view node) const;
  std::string trace_file(std::string_view node) const;
  std::string capture_file(std::string_view node) const;  // when it was asked for
  std::string socket_file(std::string_view node) const;
  std::string views_folder() const;  // of the target: IET's files volume and session
};

// --state, else $PNFSLAB_STATE, else $XDG_RUNTIME_DIR/pnfslab, else /tmp/pnfslab-<uid>.
std::string default_state_folder();

// Errors: not_found when no lab is up there, corrupt when lab.json is not ours.
Result<LabState> load_state(const std::string& folder);
Result<void> save_state(const LabState& state);
void remove_state(const std::string& folder);

// STATE/<folder>/*<ending>, sorted: traces or captures, also of a lab that is down or that a scenario left.
std::vector<std::string> files_of(const std::string& state, std::string_view folder, std::string_view ending);

bool is_running(const Server& server);

}  // namespace pnfs::lab
