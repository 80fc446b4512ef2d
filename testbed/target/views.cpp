// The two state files of IET, /proc/net/iet/volume and session, in their own form.
#include "testbed/target/connection.hpp"

namespace pnfs::target {

std::string Server::volume_view() const {
  std::string out;
  for (const Target* target : by_tid_) {
    out += fmt::format("tid:{} name:{}\n", target->tid, target->config.rules.name);
    for (const auto& [lun, unit] : target->units) {
      const auto& config = unit->config();
      const std::string_view mode = config.read_only                                 ? "ro"
                                    : config.cache == scsi::CacheMode::write_through ? "wt"
                                                                                     : "wb";
      out += fmt::format("\tlun:{} state:{} iotype:{} iomode:{} blocks:{} blocksize:{} path:{}\n", lun,
                         unit->ejected ? 1 : 0, config.io_type, mode, unit->blocks(), unit->block_bytes(), config.path);
    }
  }
  return out;
}

std::string Server::session_view() const {
  std::string out;
  for (const Target* target : by_tid_) {
    out += fmt::format("tid:{} name:{}\n", target->tid, target->config.rules.name);
    for (const auto& [tsih, session] : sessions_) {
      if (session.target != target) continue;
      uint64_t sid = tsih;
      for (const uint8_t byte : session.nexus->isid) sid = sid << 8 | byte;
      const auto& p = session.connection->parameters();
      const auto digest = [](bool on) { return on ? "crc32c" : "none"; };
      out +=
          fmt::format("\tsid:{} initiator:{}\n\t\tcid:{} ip:{} state:active hd:{} dd:{}\n", sid,
                      session.nexus->initiator, session.connection->login().cid,
                      session.connection->peer().address().to_string(), digest(p.header_digest), digest(p.data_digest));
    }
  }
  return out;
}

}  // namespace pnfs::target
