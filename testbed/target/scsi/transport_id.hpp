// iSCSI TransportIDs (SPC-4 7.6.4.6), as persistent reservations name initiator ports.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "testbed/target/bytes.hpp"

namespace pnfs::target::scsi {

struct InitiatorPort {
  std::string name;
  std::array<uint8_t, 6> isid{};
};

std::vector<uint8_t> make_transport_id(const std::string& name, const std::array<uint8_t, 6>& isid);
// Only the form that names a port (name and ISID); nullopt for anything else or malformed.
std::optional<InitiatorPort> parse_transport_id(ConstBytes bytes);

}  // namespace pnfs::target::scsi
