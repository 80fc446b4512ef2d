// pnfslab quickstart: the tour that testbed/quickstart gives after building. A lab with the modern profile, a kernel
// client that writes and reads through the data servers, then the server of 2014 and what it does to the same client.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "testbed/cli/command.hpp"
#include "testbed/lab/guest_run.hpp"
#include "testbed/lab/interrupt.hpp"
#include "testbed/lab/lab.hpp"
#include "testbed/lab/trace_counts.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

using nlohmann::json;

constexpr std::string_view kDriver = "LAYOUT_NFSV4_1_FILES";
constexpr uint16_t kOtherBasePorts[] = {12049, 22049, 32049, 42049};

// Each prints "name value" lines that the host reads. The caches are dropped before reading back, so that the bytes
// come from the servers.
constexpr std::string_view kModernScript = R"sh(
set -e
dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null
dd if=/tmp/data of=/mnt/pnfs/quickstart bs=1M conv=fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
echo "written $(md5sum </tmp/data | cut -d' ' -f1)"
echo "read $(md5sum </mnt/pnfs/quickstart | cut -d' ' -f1)"
)sh";
constexpr std::string_view k2014Script = R"sh(
echo "read $(md5sum </mnt/pnfs/quickstart | cut -d' ' -f1)"
LC_ALL=C dd if=/dev/zero of=/mnt/pnfs/quickstart-2014 bs=64k count=1 conv=fsync 2>&1 |
  sed -n 's/^dd: \(.*\)$/error \1/p'
exit 0
)sh";

struct Options {
  std::string json_file;
  std::string capture_folder;
  bool keep = false;
};

// A lab that ends with its scope, whatever happens.
class ScopedLab {
 public:
  explicit ScopedLab(LabState lab) : lab_(std::move(lab)) {}
  ~ScopedLab() { stop(); }
  ScopedLab(const ScopedLab&) = delete;
  ScopedLab& operator=(const ScopedLab&) = delete;
  const LabState& state() const { return lab_; }
  void stop() {
    if (running_) stop_lab(lab_);
    if (running_) remove_state(lab_.folder);
    running_ = false;
  }

 private:
  LabState lab_;
  bool running_ = true;
};

class ScopedFolder {
 public:
  explicit ScopedFolder(bool keep) : keep_(keep) {
    std::string pattern = (std::filesystem::temp_directory_path() / "pnfslab-quickstart-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScopedFolder() {
    std::error_code ignored;
    if (!keep_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScopedFolder(const ScopedFolder&) = delete;
  ScopedFolder& operator=(const ScopedFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool keep_;
};

struct Run {
  std::map<std::string, std::string> said;  // the script's "name value" lines
  std::string pnfs_driver;
  TraceSummary trace;
  std::map<std::string, uint16_t> ports;  // of the servers
};

Result<LabState> start_somewhere(LabOptions options) {
  Result<LabState> lab = error(Errc::busy, "no free ports");
  for (const uint16_t port : kOtherBasePorts) {
    options.base_port = port;
    lab = start_lab(options);
    if (lab || lab.error().reason.find("in use") == std::string::npos) return lab;
  }
  return lab;
}

std::string driver_of(const std::string& mountstats) {
  constexpr std::string_view kKey = "pnfs=";
  const size_t at = mountstats.find(kKey);
  if (at == mountstats.npos) return "none";
  const size_t begin = at + kKey.size();
  return mountstats.substr(begin, mountstats.find_first_of(", \n", begin) - begin);
}

Result<kernel::GuestResult> run_stoppable(kernel::GuestOptions options) {
  auto guest = kernel::start_guest(std::move(options));
  if (!guest) return guest.error();
  const StopOnInterrupt stopper(**guest);
  return (*guest)->wait();
}

Result<Run> run_profile(const Options& chosen, const std::string& folder, const std::string& profile,
                        std::string_view script) {
  LabOptions options;
  options.state = folder;
  options.profile = profile;
  auto started = start_somewhere(options);
  if (!started) return started.error();
  ScopedLab lab(std::move(*started));
  fmt::print(stderr, "booting a Linux kernel as the client\n");
  auto placed = guest_options_for(lab.state(), 1);
  if (!placed) return placed.error();
  kernel::GuestOptions guest = std::move(*placed);
  guest.command = {"sh", "-c", std::string(script)};
  std::string output;
  guest.on_output = [&output](std::string_view text) { output += text; };
  guest.on_error_output = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  if (!chosen.capture_folder.empty()) guest.capture_file = fmt::format("{}/{}.pcap", chosen.capture_folder, profile);
  const auto ran = run_stoppable(std::move(guest));
  if (interrupted()) return error(Errc::cancelled, "interrupted; everything is put away");
  if (!ran) return ran.error();
  if (!ran->capture_problem.empty()) return error(Errc::io, "{}", ran->capture_problem);
  if (!ran->reason.empty()) return error(Errc::io, "{}", ran->reason);
  if (ran->exit_code != 0) return error(Errc::io, "the client's script failed with exit code {}", ran->exit_code);
  fmt::print(stderr, "client: Linux {}\n", ran->kernel_release);
  lab.stop();

  Run run;
  for (const Server& server : lab.state().servers)
    if (server.role != "target") run.ports[server.name] = server.port;
  run.pnfs_driver = driver_of(ran->mountstats);
  std::istringstream lines(output);
  for (std::string name, value; lines >> name && std::getline(lines >> std::ws, value);) run.said[name] = value;
  auto summary = summarize_traces(lab.state());
  if (!summary) return summary.error();
  run.trace = std::move(*summary);
  return run;
}

void print_table(const Run& run) {
  std::set<std::string> names;
  for (const auto& [node, ops] : run.trace.ops)
    for (const auto& [op, count] : ops) names.insert(op);
  for (const char* always : {"READ", "WRITE", "COMMIT"}) names.insert(always);
  fmt::print("\n  {:<24}", "operation");
  for (const auto& [node, ops] : run.trace.ops) fmt::print("{:>8}", node);
  fmt::print("\n");
  for (const std::string& op : names) {
    fmt::print("  {:<24}", op);
    for (const auto& [node, ops] : run.trace.ops) fmt::print("{:>8}", run.trace.count(node, op));
    fmt::print("\n");
  }
  fmt::print("\n");
}

json ops_json(const Run& run) {
  json out = json::object();
  for (const auto& [node, ops] : run.trace.ops) {
    out[node] = ops;
    for (const char* always : {"READ", "WRITE", "COMMIT"}) out[node][always] = run.trace.count(node, always);
  }
  return out;
}

// The errno's name for what the application printed.
std::string application_error(const Run& run) {
  const auto at = run.said.find("error");
  if (at == run.said.end()) return "none";
  return at->second.find("Input/output error") != std::string::npos ? "EIO" : at->second;
}

Result<void> tour(const Options& options, json& result) {
  const ScopedFolder folder(options.keep);
  if (folder.path().empty()) return error(Errc::io, "cannot make a folder for the run: {}", std::strerror(errno));

  fmt::print(stderr, "\n== profile modern: layouts for reading and writing\n");
  auto modern = run_profile(options, folder.path(), "modern", kModernScript);
  if (!modern) return modern.error().with_context("profile modern");
  const bool same = !modern->said["written"].empty() && modern->said["written"] == modern->said["read"];
  fmt::print("\nmodern: layout driver {}; 8 MiB written and read back: checksums {}\n", modern->pnfs_driver,
             same ? "equal" : "DIFFER");
  print_table(*modern);

  fmt::print(stderr, "== profile dlm-2014: layouts for reading only\n");
  auto old = run_profile(options, folder.path(), "dlm-2014", k2014Script);
  if (!old) return old.error().with_context("profile dlm-2014");
  const bool old_same = old->said["read"] == modern->said["read"];
  fmt::print("\ndlm-2014: reading the same file through the data servers: checksum {}\n",
             old_same ? "equal" : "DIFFERS");
  fmt::print("          LAYOUTGET for write answered {}\n          because: {}\n", old->trace.layoutget_rw_status,
             old->trace.layoutget_rw_reason);
  fmt::print("          the application saw: {} ({})\n", application_error(*old), old->said["error"]);
  print_table(*old);
  if (options.keep) fmt::print("logs and traces are in {}\n", folder.path());

  result = json{{"modern",
                 {{"pnfs_driver", modern->pnfs_driver},
                  {"ops", ops_json(*modern)},
                  {"calls", modern->trace.calls},
                  {"ports", modern->ports},
                  {"checksum_ok", same}}},
                {"dlm-2014",
                 {{"pnfs_driver", old->pnfs_driver},
                  {"ops", ops_json(*old)},
                  {"calls", old->trace.calls},
                  {"ports", old->ports},
                  {"checksum_ok", old_same},
                  {"layoutget_rw_status", old->trace.layoutget_rw_status},
                  {"reason", old->trace.layoutget_rw_reason},
                  {"application_error", application_error(*old)},
                  {"application_message", old->said["error"]}}}};
  return {};
}

// The tour promises something; say so when it did not happen.
bool as_promised(const json& result) {
  const json& ops = result.at("modern").at("ops");
  bool good = result.at("modern").at("checksum_ok") == true && result.at("modern").at("pnfs_driver") == kDriver;
  for (const char* op : {"READ", "WRITE"}) {
    good = good && ops.value("mds", json::object()).value(op, 0) == 0;
    for (const char* ds : {"ds1", "ds2"}) good = good && ops.value(ds, json::object()).value(op, 0) > 0;
  }
  const json& old = result.at("dlm-2014");
  return good && old.at("layoutget_rw_status") == "NFS4ERR_BADIOMODE" && old.at("application_error") == "EIO";
}

int quickstart(const Options& options) {
  const InterruptGuard guard;
  json result;
  if (auto toured = tour(options, result); !toured) return report("quickstart", toured.error());
  if (!options.json_file.empty()) {
    std::ofstream out(options.json_file);
    out << result.dump(2) << '\n';
    if (!out.flush())
      return report("quickstart", error(Errc::io, "cannot write '{}': {}", options.json_file, std::strerror(errno)));
  }
  if (as_promised(result)) return 0;
  fmt::print(stderr,
             "pnfslab quickstart: not all of this is as it should be; run it again with --keep and look at the "
             "traces\n");
  return kExitFailed;
}

}  // namespace

void add_quickstart(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("quickstart",
                                 "The tour: a lab, a kernel client, and the BADIOMODE of 2014\n"
                                 "Example: pnfslab quickstart --json result.json");
  auto options = std::make_shared<Options>();
  sub->add_option("--json", options->json_file, "Write the result to this file as JSON too");
  sub->add_option("--capture", options->capture_folder, "Write all NFS packets to PROFILE.pcap in this folder")
      ->check(CLI::ExistingDirectory);
  sub->add_flag("--keep", options->keep, "Keep logs, traces and the LUN image, and say where they are");
  sub->callback([options, &action] { action = [options] { return quickstart(*options); }; });
}

}  // namespace pnfs::cli
