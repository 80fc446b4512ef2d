#include "ds/settings.hpp"

#include "common/block/iscsi_block_store.hpp"
#include "common/server/settings_table.hpp"

namespace pnfs::ds {

namespace {

constexpr uint16_t kNfsPort = 2049;

Result<std::vector<io::Endpoint>> parse_all(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<io::Endpoint> out;
  for (const auto& text : texts) {
    auto endpoint = io::parse_endpoint(text, kNfsPort);
    if (!endpoint) return endpoint.error().with_context(option);
    out.push_back(*endpoint);
  }
  return out;
}

}  // namespace

void declare(server::SettingsTable& t, Settings& s) {
  t.add("--node", "node", s.node, "Name of this node, one of the volume's node slots (default ds1)")->type_name("NAME");
  t.add("--listen", "listen", s.listen, "Where clients are served; may be given more than once")
      ->type_name("ADDR:PORT");
  t.add("--advertise", "advertise", s.advertise,
        "Address to name in device addresses instead of the client's own view of the MDS")
      ->type_name("ADDR:PORT");
  t.add("--mds", "mds", s.mds, "The metadata server")->type_name("ADDR:PORT");
  t.add("--store", "store", s.store, "The volume")->type_name("iscsi://...");
  t.add("--initiator-name", "initiator_name", s.initiator_name, "iSCSI initiator name")->type_name("IQN");
  t.add_flag("--strict-seqid", "strict_seqid", s.strict_seqid,
             "Refuse stateids whose seqid is not 0 (RFC 8881 13.9.1)");
  t.add_flag("--lazy-size", "lazy_size", s.lazy_size,
             "COMMIT leaves the file's size to LAYOUTCOMMIT, as the RFC allows: fsynced data is lost if the MDS dies between");
  t.add_key("join_seconds", s.join_seconds, 1, 3600);
  t.add_key("max_read_bytes", s.max_read_bytes, 4096, 16 << 20);
  t.add_key("max_write_bytes", s.max_write_bytes, 4096, 16 << 20);
  t.add_key("keep_grants", s.keep_grants, 16, 1'000'000);
  server::declare(t, s.common);
}

Result<Options> options_from(const Settings& settings) {
  Options out;
  if (settings.node.empty()) return error(Errc::invalid, "--node: a node needs a name");
  out.node = settings.node;
  if (settings.store.empty()) return error(Errc::invalid, "say where the volume is: --store iscsi://HOST:PORT/IQN/LUN");
  if (auto url = block::parse_iscsi_url(settings.store); !url) return url.error().with_context("--store");
  if (settings.mds.empty()) return error(Errc::invalid, "say where the metadata server is: --mds ADDR:PORT");
  auto mds = io::parse_endpoint(settings.mds, kNfsPort);
  if (!mds) return mds.error().with_context("--mds");
  out.mds = *mds;
  auto listen = parse_all(settings.listen, "--listen");
  if (!listen) return listen.error();
  if (listen->empty()) return error(Errc::invalid, "say where to serve clients: --listen ADDR:PORT");
  out.listen = std::move(*listen);
  auto advertise = parse_all(settings.advertise, "--advertise");
  if (!advertise) return advertise.error();
  out.advertise = std::move(*advertise);
  out.strict_seqid = settings.strict_seqid;
  out.lazy_size = settings.lazy_size;
  out.join_timeout = std::chrono::seconds(settings.join_seconds);
  out.max_read_bytes = settings.max_read_bytes;
  out.max_write_bytes = settings.max_write_bytes;
  out.keep_grants = settings.keep_grants;
  if (auto good = server::check(settings.common); !good) return good.error();
  return out;
}

}  // namespace pnfs::ds
