#include "testbed/lab/lab_state.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "testbed/lab/daemon.hpp"

namespace pnfs::lab {

namespace fs = std::filesystem;
using nlohmann::json;

const Server* LabState::find(std::string_view name) const {
  for (const Server& server : servers)
    if (server.name == name) return &server;
  return nullptr;
}

std::string LabState::log_file(std::string_view node) const {
  return fmt::format("{}/log/{}.log", folder, node);
}
std::string LabState::trace_file(std::string_view node) const {
  return fmt::format("{}/trace/{}.jsonl", folder, node);
}
std::string LabState::socket_file(std::string_view node) const {
  return fmt::format("{}/{}.sock", folder, node);
}

std::string default_state_folder() {
  if (const char* chosen = std::getenv("PNFSLAB_STATE"); chosen != nullptr && *chosen != '\0') return chosen;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0')
    return std::string(runtime) + "/pnfslab";
  return fmt::format("/tmp/pnfslab-{}", getuid());
}

Result<LabState> load_state(const std::string& folder) {
  std::ifstream in(folder + "/lab.json");
  if (!in) {
    return error(Errc::not_found, "no lab is up in '{}'; start one with: pnfslab up --state {}", folder, folder);
  }
  LabState state;
  try {
    const json j = json::parse(in);
    state.folder = folder;
    state.profile = j.at("profile");
    state.export_path = j.at("export");
    state.store_url = j.at("store");
    for (const json& s : j.at("servers"))
      state.servers.push_back(
          {s.at("role"), s.at("name"), s.at("address"), s.at("port"), s.at("pid"), s.at("started")});
  } catch (const json::exception& e) {
    return error(Errc::corrupt, "'{}/lab.json' is not a lab's state ({}); remove the folder and start again", folder,
                 e.what());
  }
  return state;
}

Result<void> save_state(const LabState& state) {
  json servers = json::array();
  for (const Server& s : state.servers) {
    servers.push_back({{"role", s.role},
                       {"name", s.name},
                       {"address", s.address},
                       {"port", s.port},
                       {"pid", s.pid},
                       {"started", s.started}});
  }
  const json j{
      {"profile", state.profile}, {"export", state.export_path}, {"store", state.store_url}, {"servers", servers}};
  // A reader must never see half a file.
  const std::string path = state.folder + "/lab.json";
  std::ofstream out(path + ".new");
  out << j.dump(2) << '\n';
  out.close();
  std::error_code ec;
  if (out) fs::rename(path + ".new", path, ec);
  if (!out || ec) return error(Errc::io, "cannot write '{}': {}", path, ec ? ec.message() : std::strerror(errno));
  return {};
}

void remove_state(const std::string& folder) {
  std::error_code ignored;
  fs::remove(folder + "/lab.json", ignored);
}

bool is_running(const Server& server) {
  return server.pid > 0 && process_start_time(server.pid) == server.started;
}

}  // namespace pnfs::lab
