#include "testbed/target/config.hpp"

#include <charconv>

namespace pnfs::target {

namespace {

Result<std::unique_ptr<Backing>> open_backing(const UnitSpec& spec) {
  switch (spec.type) {
    case UnitSpec::Type::nullio:
      return make_null(spec.size_bytes);
    case UnitSpec::Type::memory:
      return make_memory(spec.size_bytes);
    default:
      break;
  }
  FileOptions options;
  options.path = spec.path;
  options.size_bytes = spec.size_bytes;
  options.read_only = spec.unit.read_only;
  options.every_write_durable = spec.unit.cache == scsi::CacheMode::write_through;
  options.direct = spec.type == UnitSpec::Type::blockio && spec.unit.cache != scsi::CacheMode::volatile_memory;
  return open_file(options);
}

// Sixteen characters that stay the same from start to start.
std::string derived_id(const std::string& target, uint32_t lun) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : target) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return fmt::format("{:08x}{:08x}", static_cast<uint32_t>(hash >> 32) ^ static_cast<uint32_t>(hash), lun);
}

Result<void> add_unit(Server& server, Target& target, UnitSpec spec) {
  auto backing = open_backing(spec);
  if (!backing) return backing.error();
  if ((*backing)->size_bytes() < spec.unit.block_bytes || (*backing)->size_bytes() % spec.unit.block_bytes != 0)
    return error(Errc::invalid, "{}: {} bytes are not a whole number of {} byte blocks", spec.path,
                 (*backing)->size_bytes(), spec.unit.block_bytes);
  const std::string id = derived_id(target.config.rules.name, spec.unit.lun);
  if (spec.unit.scsi_id.empty()) spec.unit.scsi_id = id;
  if (spec.unit.serial.empty()) spec.unit.serial = id;
  spec.unit.path = spec.path;
  spec.unit.io_type = spec.type == UnitSpec::Type::nullio    ? "nullio"
                      : spec.type == UnitSpec::Type::blockio ? "blockio"
                                                             : "fileio";
  if (!spec.path.empty() && !spec.unit.read_only) spec.unit.aptpl_path = spec.path + ".registrations";
  if (spec.unit.cache == scsi::CacheMode::volatile_memory)
    *backing = make_volatile_cache(std::move(*backing), kVolatileCacheBytes);
  return server.add_unit(target, std::move(spec.unit), std::move(*backing));
}

}  // namespace

Result<void> build(Server& server, Config config) {
  for (TargetSpec& spec : config.targets) {
    const std::string name = spec.config.rules.name;
    const auto target = server.add_target(std::move(spec.config));
    if (!target) return target.error();
    for (UnitSpec& unit : spec.units) {
      const uint32_t lun = unit.unit.lun;
      if (auto added = add_unit(server, **target, std::move(unit)); !added)
        return added.error().with_context(fmt::format("LUN {} of {}", lun, name));
    }
  }
  return {};
}

Result<uint64_t> parse_size(std::string_view text) {
  uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit.ends_with("iB")) unit.remove_suffix(2);
  int shift = unit.empty() ? 0 : -1;
  if (unit.size() == 1) {
    const size_t at = std::string_view("KMGTP").find(static_cast<char>(unit[0] & ~0x20));
    if (at != std::string_view::npos) shift = 10 * static_cast<int>(at + 1);
  }
  if (ec != std::errc{} || shift < 0 || number == 0 || number > (uint64_t{1} << 62 >> shift))
    return error(Errc::invalid, "'{}' is not a size; write 512M, 1G or a number of bytes", text);
  return number << shift;
}

Result<void> check_iscsi_name(std::string_view name) {
  const bool known = name.starts_with("iqn.") || name.starts_with("eui.") || name.starts_with("naa.");
  const bool clean = name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") ==
                     std::string_view::npos;
  if (known && clean && name.size() > 4 && name.size() <= 223) return {};
  return error(Errc::invalid, "'{}' is not an iSCSI name; it looks like iqn.2026-01.example:disk", name);
}

}  // namespace pnfs::target
