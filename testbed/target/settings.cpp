#include "testbed/target/settings.hpp"

#include <spdlog/spdlog.h>

#include "common/server/settings_table.hpp"
#include "testbed/target/ietd_config.hpp"

namespace pnfs::target {

void declare(server::SettingsTable& t, Settings& s) {
  CLI::Option* file =
      t.add("--file", nullptr, s.file, "File or block device behind LUN 1; created sparse when --size is given");
  file->type_name("PATH");
  t.add("--config", nullptr, s.config, "Serve what an ietd.conf describes")->type_name("FILE")->excludes(file);
  t.add("--size", nullptr, s.size, "Size of the LUN, as 512M or 1G")->type_name("SIZE");
  t.add("--block-size", nullptr, s.block_bytes, "Logical block size in bytes")->check(CLI::IsMember({512, 4096}));
  t.add_choice("--cache", nullptr, s.cache, {"volatile", "write-back", "write-through"},
               "What happens to writes that were not flushed: volatile loses them with the process");
  t.add("--listen", nullptr, s.listen, "Address and port")->type_name("ADDR:PORT");
  t.add("--iqn", nullptr, s.iqn, "Name of the target")->type_name("NAME");
  t.add_flag("--thin", nullptr, s.thin, "Thin provisioned: UNMAP, GET LBA STATUS");
  t.add_flag("--read-only", nullptr, s.read_only, "Refuse writes");
  t.add_flag("--removable", nullptr, s.removable, "A medium that can be ejected");
  t.add("--sanitize-rate", nullptr, s.sanitize_rate, "Pace of SANITIZE OVERWRITE, each second")->type_name("SIZE");
  t.add("--state", nullptr, s.state, "Keep the files volume and session there, as IET's /proc/net/iet")
      ->type_name("DIR");
  t.add("--listen-fd", nullptr, s.listen_fd, "A listening socket made by the caller")->type_name("FD");
  server::declare(t, s.common);
}

Result<Config> config_from(const Settings& s) {
  if (!s.config.empty()) {
    auto loaded = load_ietd_config(s.config);
    if (!loaded) return loaded.error();
    for (const std::string& note : loaded->notes) spdlog::warn("{}", note);
    return std::move(loaded->config);
  }
  if (s.file.empty()) return error(Errc::invalid, "say what to serve: --file PATH or --config FILE (see --help)");
  Config config;
  TargetSpec target;
  if (auto ok = check_iscsi_name(s.iqn); !ok) return ok.error().with_context("--iqn");
  target.config.rules.name = normal_name(s.iqn);
  UnitSpec unit;
  unit.path = s.file;
  if (!s.size.empty()) {
    const auto size = parse_size(s.size);
    if (!size) return size.error().with_context("--size");
    unit.size_bytes = *size;
  }
  if (!s.sanitize_rate.empty()) {
    const auto rate = parse_size(s.sanitize_rate);
    if (!rate) return rate.error().with_context("--sanitize-rate");
    unit.unit.sanitize_bytes_per_s = *rate;
  }
  unit.unit.lun = 1;
  unit.unit.block_bytes = s.block_bytes;
  unit.unit.thin = s.thin;
  unit.unit.read_only = s.read_only;
  unit.unit.removable = s.removable;
  unit.unit.cache = s.cache == "volatile"     ? scsi::CacheMode::volatile_memory
                    : s.cache == "write-back" ? scsi::CacheMode::write_back
                                              : scsi::CacheMode::write_through;
  target.units.push_back(std::move(unit));
  config.targets.push_back(std::move(target));
  return config;
}

}  // namespace pnfs::target
