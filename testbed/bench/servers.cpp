#include "testbed/bench/servers.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testbed/lab/volume_tools.hpp"

namespace pnfs::bench {

namespace {

namespace fs = std::filesystem;

Result<Child> start_listening(ChildOptions options) {
  const std::string name = options.command[0];
  auto child = Child::start(options);
  if (!child) return child.error();
  const auto listens = [&] { return read_text(options.log_file).find("listening") != std::string::npos; };
  if (auto up = wait_for(listens, *child, name); !up) return up.error();
  return std::move(*child);
}

constexpr uint32_t kNodes = 2;  // data servers

bool accepts(const io::Endpoint& at) {
  const int fd = socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool good = fd >= 0 && connect(fd, at.data(), static_cast<socklen_t>(at.size())) == 0;
  if (fd >= 0) close(fd);
  return good;
}

// Version 4.1 only and nothing that its other protocols need; the clients' records in the folder, no grace period.
constexpr const char* kGaneshaConfig = R"(NFS_CORE_PARAM {{
  Protocols = 4;
  NFS_Port = {port};
  Enable_NLM = false;
  Enable_RQUOTA = false;
  Enable_UDP = false;
}}
NFSv4 {{
  Minor_Versions = 1;
  Lease_Lifetime = 120;
  Graceless = true;
  RecoveryBackend = fs;
  RecoveryRoot = {folder}/recovery;
}}
NFS_KRB5 {{
  Active_krb5 = false;
}}
EXPORT {{
  Export_Id = 1;
  Path = {folder}/export;
  Pseudo = /{name};
  Access_Type = NONE;
  Squash = No_Root_Squash;
  SecType = sys;
  CLIENT {{
    Clients = 127.0.0.0/8;
    Access_Type = RW;
  }}
  FSAL {{
    Name = VFS;
  }}
}}
)";

}  // namespace

io::Endpoint loopback(uint16_t port) {
  return {boost::asio::ip::address_v4::loopback(), port};
}

Result<Child> start_target(const TargetStart& start) {
  ChildOptions options{.command = {start.program, "--file", start.lun_file, "--iqn", kTargetName, "--listen",
                                   io::to_string(loopback(start.port))},
                       .environment = {},
                       .log_file = start.log_file};
  if (start.thin) options.command.emplace_back("--thin");
  return start_listening(std::move(options));
}

std::string target_url(uint16_t port) {
  return fmt::format("iscsi://{}/{}/1", io::to_string(loopback(port)), kTargetName);
}

Result<OurMds> start_mds(const MdsStart& start) {
  const std::string lun = start.folder + "/lun";
  std::error_code ec;
  std::ofstream(lun, std::ios::binary).close();
  fs::resize_file(lun, start.lun_bytes, ec);
  if (ec) return error(Errc::io, "cannot make a file of {} bytes at {}: {}", start.lun_bytes, lun, ec.message());
  const auto target_port = static_cast<uint16_t>(start.port + 1);
  auto target = start_target({start.target_program, lun, target_port, start.folder + "/target.log", true});
  if (!target) return target.error();
  if (auto made = lab::format_if_blank(target_url(target_port), kNodes, "bench:bench"); !made)
    return made.error().with_context("mkfs");
  ChildOptions options{.command = {start.mds_program, "--listen", io::to_string(loopback(start.port)), "--store",
                                   target_url(target_port)},
                       .environment = {},
                       .log_file = start.folder + "/mds.log"};
  if (!start.layout.empty()) options.command.insert(options.command.end(), {"--layout", start.layout});
  if (!start.trace.empty()) options.command.insert(options.command.end(), {"--trace", start.trace});
  auto mds = start_listening(options);
  if (!mds) return mds.error();
  return OurMds{std::move(*target), std::move(*mds)};
}

Result<Child> start_data_server(const DsStart& start) {
  const std::string name = fmt::format("ds{}", start.number);
  return start_listening(
      {.command = {start.ds_program, "--node", name, "--listen", io::to_string(loopback(start.port)), "--mds",
                   io::to_string(loopback(start.mds_port)), "--store",
                   target_url(static_cast<uint16_t>(start.mds_port + 1)), "--initiator-name",
                   "iqn.2026-01.pnfslab.node:bench-" + name},
       .environment = {},
       .log_file = fmt::format("{}/{}.log", start.folder, name)});
}

Result<Child> start_ganesha(const std::string& folder, uint16_t port) {
  if (geteuid() != 0) return error(Errc::permission, "NFS-Ganesha, the other side of the comparison, needs root");
  std::error_code ec;
  for (const char* name : {"/export", "/recovery"}) fs::create_directory(folder + name, ec);
  const std::string config = folder + "/ganesha.conf", log = folder + "/ganesha.log";
  std::ofstream(config) << fmt::format(kGaneshaConfig, fmt::arg("port", port), fmt::arg("folder", folder),
                                       fmt::arg("name", kGaneshaExport));
  auto child = Child::start(
      {.command = {"ganesha.nfsd", "-F", "-f", config, "-L", log, "-p", folder + "/ganesha.pid", "-N", "NIV_WARN"},
       .environment = {},
       .log_file = folder + "/ganesha.out"});
  if (!child) {
    if (child.error().code != Errc::not_found) return child.error();
    return error(Errc::not_found, "{}; install it with: apt-get install nfs-ganesha nfs-ganesha-vfs",
                 child.error().reason);
  }
  const auto answers = [&] { return accepts(loopback(port)); };
  if (auto up = wait_for(answers, *child, "ganesha.nfsd"); !up)
    return error(up.error().code, "{}{}", up.error().reason, read_text(log));
  return std::move(*child);
}

}  // namespace pnfs::bench
