#include "mds/commands.hpp"

#include "mds/layout/pnfs_server.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds {

namespace {

// The first word, taken off.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return word;
}

std::string list_ds(layout::PnfsServer& pnfs) {
  std::string out;
  for (const auto& [id, node] : pnfs.cluster().members().all()) {
    std::vector<std::string> addresses;
    for (const auto& at : node.addresses) addresses.push_back(fmt::format("{}:{}", at.ip, at.port));
    out += fmt::format("{} {} {} {} {}\n", node.name, cluster::to_string(node.state),
                       node.draining ? "draining" : "serving", pnfs.unused(id) ? "unused" : "used",
                       fmt::join(addresses, ","));
  }
  return out;
}

Result<std::string> ds_command(layout::PnfsServer& pnfs, std::string_view line) {
  const std::string_view verb = take_word(line);
  if (verb == "list") return list_ds(pnfs);
  Result<void> done = error(Errc::invalid, "\"ds {}\" is no command; list, drain, undrain and remove are", verb);
  if (verb == "drain" || verb == "undrain") done = pnfs.drain(line, verb == "drain");
  if (verb == "remove") done = pnfs.remove(line);
  if (!done) return done.error();
  return std::string{};
}

}  // namespace

Result<std::string> run_command(Mds& mds, std::string_view line) {
  auto& pnfs = layout::pnfs_of(mds);
  const std::string_view verb = take_word(line);
  if (verb == "ds") return ds_command(pnfs, line);
  if (verb == "dlm-device") {
    if (line.empty()) return pnfs.dlm_devices().text();
    if (auto taken = pnfs.write_dlm_device(line); !taken) return taken.error();
    return std::string{};
  }
  return error(Errc::invalid, "\"{}\" is no command of a metadata server; fault, ds and dlm-device are", verb);
}

}  // namespace pnfs::mds
