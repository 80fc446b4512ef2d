#include "testbed/lab/lab_state.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/base/scoped_fd.hpp"
#include "common/io/local_address.hpp"
#include "testbed/lab/daemon.hpp"

namespace pnfs::lab {

namespace fs = std::filesystem;
using nlohmann::json;

const Server* LabState::find(std::string_view name) const {
  for (const Server& server : servers)
    if (server.name == name) return &server;
  return nullptr;
}

unsigned LabState::data_servers() const {
  return unsigned(std::count_if(servers.begin(), servers.end(), [](const Server& s) { return s.role == "ds"; }));
}
std::string LabState::log_file(std::string_view node) const {
  return fmt::format("{}/log/{}.log", folder, node);
}
std::string LabState::trace_file(std::string_view node) const {
  return fmt::format("{}/trace/{}.jsonl", folder, node);
}
std::string LabState::capture_file(std::string_view node) const {
  return fmt::format("{}/capture/{}.pcapng", folder, node);
}
std::string LabState::socket_file(std::string_view node) const {
  return fmt::format("{}/{}.sock", folder, node);
}

std::string LabState::views_folder() const {
  return folder + "/target";
}

std::string default_state_folder() {
  if (const char* chosen = std::getenv("PNFSLAB_STATE"); chosen != nullptr && *chosen != '\0') return chosen;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0')
    return std::string(runtime) + "/pnfslab";
  return fmt::format("/tmp/pnfslab-{}", getuid());
}

namespace {

json to_json(const Server& s) {
  return {{"role", s.role}, {"name", s.name},       {"address", s.address}, {"port", s.port},
          {"pid", s.pid},   {"started", s.started}, {"command", s.command}};
}

Server server_from(const json& s) {
  // Those of containers have neither process nor command here.
  return {s.at("role"),
          s.at("name"),
          s.at("address"),
          s.at("port"),
          s.value("pid", pid_t{0}),
          s.value("started", uint64_t{0}),
          s.value("command", std::vector<std::string>{}),
          ""};
}

}  // namespace

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
    for (const json& s : j.at("servers")) state.servers.push_back(server_from(s));
    state.containers = j.value("containers", false);
    for (Server& s : state.servers)
      if (state.containers) s.control = state.socket_file(s.name);
    if (j.contains("network")) state.network = server_from(j.at("network"));
  } catch (const json::exception& e) {
    return error(Errc::corrupt, "'{}/lab.json' is not a lab's state ({}); remove the folder and start again", folder,
                 e.what());
  }
  return state;
}

Result<void> save_state(const LabState& state) {
  json servers = json::array();
  for (const Server& s : state.servers) servers.push_back(to_json(s));
  json j{{"profile", state.profile}, {"export", state.export_path}, {"store", state.store_url}, {"servers", servers}};
  if (state.network) j["network"] = to_json(*state.network);
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

namespace {

bool somebody_serves(const std::string& socket_path) {
  const auto address = io::local_address(socket_path);
  const ScopedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return address && fd && ::connect(fd.get(), address->get(), address->size()) == 0;
}

}  // namespace

void remove_state(const std::string& folder) {
  std::error_code ignored;
  fs::remove(folder + "/lab.json", ignored);
}

std::vector<std::string> files_of(const std::string& state, std::string_view folder, std::string_view ending) {
  std::vector<std::string> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fmt::format("{}/{}", state, folder), none))
    if (entry.path().native().ends_with(ending)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool is_running(const Server& server) {
  if (!server.control.empty()) return somebody_serves(server.control);
  return server.pid > 0 && process_start_time(server.pid) == server.started;
}

}  // namespace pnfs::lab
