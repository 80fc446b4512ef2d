#include "common/base/config.hpp"
#include "common/block/iscsi_block_store.hpp"
#include "ds/process.hpp"

namespace pnfs::ds {

namespace {

Result<std::vector<io::Endpoint>> parse_all(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<io::Endpoint> out;
  for (const auto& text : texts) {
    auto endpoint = io::parse_endpoint(text, 2049);
    if (!endpoint) return endpoint.error().with_context(option);
    out.push_back(*endpoint);
  }
  return out;
}

}  // namespace

Result<ProcessOptions> read_options(const CommandLine& line) {
  ProcessOptions out;
  CommandLine merged;
  merged.log_level = out.log_level;
  if (!line.config.empty()) {
    auto file = ConfigFile::load(line.config);
    if (!file) return file.error();
    ConfigReader ds = file->table("ds");
    ds.value("node", merged.node);
    ds.value("listen", merged.listen);
    ds.value("advertise", merged.advertise);
    ds.value("mds", merged.mds);
    ds.value("store", merged.store);
    ds.value("initiator_name", merged.initiator_name);
    ds.value("state_socket", merged.state_socket);
    ds.value("trace", merged.trace);
    ds.value("faults", merged.faults);
    ds.value("strict_seqid", merged.strict_seqid);
    int64_t join_seconds = out.server.join_timeout / std::chrono::seconds(1);
    ds.value("join_seconds", join_seconds, 1, 3600);
    out.server.join_timeout = std::chrono::seconds(join_seconds);
    ds.value("max_read_bytes", out.server.max_read_bytes, 4096, 16 << 20);
    ds.value("max_write_bytes", out.server.max_write_bytes, 4096, 16 << 20);
    ds.value("keep_grants", out.server.keep_grants, 16, 1'000'000);
    ds.choice("log_level", merged.log_level, {"trace", "debug", "info", "warn", "error"});
    if (auto done = file->finish(); !done) return done.error();
  }
  auto pick = [](const std::string& first, const std::string& second) { return first.empty() ? second : first; };
  const std::string node = pick(line.node, merged.node);
  if (!node.empty()) out.server.node = node;
  out.store = pick(line.store, merged.store);
  if (out.store.empty()) return error(Errc::invalid, "say where the volume is: --store iscsi://HOST:PORT/IQN/LUN");
  if (auto url = block::parse_iscsi_url(out.store); !url) return url.error().with_context("--store");
  const std::string mds = pick(line.mds, merged.mds);
  if (mds.empty()) return error(Errc::invalid, "say where the metadata server is: --mds ADDR:PORT");
  auto endpoint = io::parse_endpoint(mds, 2049);
  if (!endpoint) return endpoint.error().with_context("--mds");
  out.server.mds = *endpoint;
  auto listen = parse_all(line.listen.empty() ? merged.listen : line.listen, "--listen");
  if (!listen) return listen.error();
  if (listen->empty()) return error(Errc::invalid, "say where to serve clients: --listen ADDR:PORT");
  out.server.listen = *listen;
  auto advertise = parse_all(line.advertise.empty() ? merged.advertise : line.advertise, "--advertise");
  if (!advertise) return advertise.error();
  out.server.advertise = *advertise;
  out.server.strict_seqid = line.strict_seqid || merged.strict_seqid;
  out.initiator_name = pick(line.initiator_name, merged.initiator_name);
  if (out.initiator_name.empty()) out.initiator_name = "iqn.2026-01.org.pnfslab:" + out.server.node;
  out.state_socket = pick(line.state_socket, merged.state_socket);
  out.trace = pick(line.trace, merged.trace);
  out.faults = pick(line.faults, merged.faults);
  out.log_level = pick(line.log_level, merged.log_level);
  out.ready_fd = line.ready_fd;
  return out;
}

}  // namespace pnfs::ds
