// PERSISTENT RESERVE IN (SPC-4 6.15).
#include "testbed/target/scsi/families.hpp"
#include "testbed/target/scsi/transport_id.hpp"

namespace pnfs::target::scsi {

namespace {

void read_keys(Command& c, uint32_t allocation) {
  const auto& pr = c.unit->reservations;
  std::vector<uint8_t> data(8 + 8 * pr.registrants().size());
  put32(&data[0], pr.generation());
  put32(&data[4], static_cast<uint32_t>(data.size() - 8));
  size_t at = 8;
  for (const auto& [nexus, registrant] : pr.registrants()) {
    put64(&data[at], registrant.key);
    at += 8;
  }
  c.reply(data, allocation);
}

void read_reservation(Command& c, uint32_t allocation) {
  const auto& pr = c.unit->reservations;
  std::vector<uint8_t> data(pr.type() == PrType::none ? 8 : 24);
  put32(&data[0], pr.generation());
  put32(&data[4], static_cast<uint32_t>(data.size() - 8));
  if (data.size() > 8) {
    put64(&data[8], pr.holder_key());
    data[21] = static_cast<uint8_t>(pr.type());
  }
  c.reply(data, allocation);
}

void report_capabilities(Command& c, uint32_t allocation) {
  std::array<uint8_t, 8> data{};
  put16(&data[0], 8);
  const bool persists = !c.unit->config().aptpl_path.empty();
  data[2] = static_cast<uint8_t>(0x10 | 0x04 | (persists ? 0x01 : 0));               // CRH, ATP_C, PTPL_C
  data[3] = static_cast<uint8_t>(0x80 | (c.unit->reservations.aptpl() ? 0x01 : 0));  // TMV, PTPL_A
  data[4] = 0xea;
  data[5] = 0x01;
  c.reply(data, allocation);
}

void read_full_status(Command& c, uint32_t allocation) {
  const auto& pr = c.unit->reservations;
  std::vector<uint8_t> data(8);
  put32(&data[0], pr.generation());
  for (const auto& [nexus, registrant] : pr.registrants()) {
    const auto id = make_transport_id(registrant.initiator, registrant.isid);
    const size_t d = data.size();
    data.resize(d + 24);
    put64(&data[d], registrant.key);
    if (pr.holds(nexus)) {
      data[d + 12] = 0x01;  // R_HOLDER
      data[d + 13] = static_cast<uint8_t>(pr.type());
    }
    put16(&data[d + 18], 1);  // our relative target port
    put32(&data[d + 20], static_cast<uint32_t>(id.size()));
    data.insert(data.end(), id.begin(), id.end());
  }
  put32(&data[4], static_cast<uint32_t>(data.size() - 8));
  c.reply(data, allocation);
}

}  // namespace

void execute_persistent_in(Command& c) {
  const uint32_t allocation = get16(&c.cdb[7]);
  switch (c.cdb[1] & 0x1f) {
    case 0:
      return read_keys(c, allocation);
    case 1:
      return read_reservation(c, allocation);
    case 2:
      return report_capabilities(c, allocation);
    default:
      return read_full_status(c, allocation);
  }
}

}  // namespace pnfs::target::scsi
