#include "testbed/target/scsi/aptpl.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "testbed/target/text.hpp"

namespace pnfs::target::scsi {

namespace {

constexpr std::string_view kMagic = "pnfslab-registrations 1";

std::string render(const PersistentReservations& pr) {
  std::string out = fmt::format("{}\ntype {}\n", kMagic, static_cast<int>(pr.type()));
  for (const auto& [nexus, registrant] : pr.registrants()) {
    out += fmt::format("registrant {} {} {:016x} {}\n", registrant.initiator, format_binary(registrant.isid),
                       registrant.key, pr.holder() == nexus ? "holder" : "-");
  }
  return out;
}

Result<void> write_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return error(Errc::io, "creating {}: {}", fresh, std::strerror(errno));
  const bool ok = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!ok || ::rename(fresh.c_str(), path.c_str()) != 0)
    return error(Errc::io, "writing {}: {}", path, std::strerror(errno));
  return {};
}

}  // namespace

Result<void> save_reservations(const LogicalUnit& unit) {
  const std::string& path = unit.config().aptpl_path;
  const auto& pr = unit.reservations;
  if (pr.aptpl() && !pr.registrants().empty()) return write_file(path, render(pr));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return error(Errc::io, "removing {}: {}", path, std::strerror(errno));
  return {};
}

Result<void> restore_reservations(LogicalUnit& unit) {
  const std::string& path = unit.config().aptpl_path;
  if (path.empty() || !unit.observer()) return {};
  std::ifstream in(path);
  if (!in) return {};
  const auto corrupt = [&](int line) {
    return error(Errc::corrupt, "{}:{}: not a registration file of this target; remove it to start without", path,
                 line);
  };
  std::string line;
  if (!std::getline(in, line) || line != kMagic) return corrupt(1);
  PersistentReservations::Saved saved;
  for (int number = 2; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string word, name, isid, key, mark;
    words >> word;
    if (word == "type") {
      int type = 0;
      if (!(words >> type) || (type != 0 && (type < 0 || type > 8 || !is_valid(static_cast<uint8_t>(type)))))
        return corrupt(number);
      saved.type = static_cast<PrType>(type);
      continue;
    }
    const auto bytes =
        (words >> name >> isid >> key >> mark) ? parse_binary(isid, 6) : Result<std::vector<uint8_t>>(corrupt(number));
    uint64_t value = 0;
    const auto [end, ec] = std::from_chars(key.data(), key.data() + key.size(), value, 16);
    if (word != "registrant" || !bytes || bytes->size() != 6 || ec != std::errc{}) return corrupt(number);
    std::array<uint8_t, 6> port{};
    std::copy(bytes->begin(), bytes->end(), port.begin());
    const Nexus nexus = unit.observer()->nexus_for(name, port);
    saved.registrants.emplace_back(nexus, value);
    if (mark == "holder") saved.holder = nexus.id;
  }
  unit.reservations.restore(saved);
  return {};
}

}  // namespace pnfs::target::scsi
