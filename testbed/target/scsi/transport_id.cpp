#include "testbed/target/scsi/transport_id.hpp"

#include "testbed/target/text.hpp"

namespace pnfs::target::scsi {

std::vector<uint8_t> make_transport_id(const std::string& name, const std::array<uint8_t, 6>& isid) {
  std::string text = name + ",i,0x";
  for (const uint8_t byte : isid) text += fmt::format("{:02x}", byte);
  text.resize(std::max<size_t>((text.size() / 4 + 1) * 4, 20));  // zero terminated and padded
  std::vector<uint8_t> id(4 + text.size());
  id[0] = 0x45;  // format 1, protocol 5 (iSCSI)
  put16(&id[2], static_cast<uint32_t>(text.size()));
  std::copy(text.begin(), text.end(), id.begin() + 4);
  return id;
}

std::optional<InitiatorPort> parse_transport_id(ConstBytes bytes) {
  if (bytes.size() < 24 || bytes[0] != 0x45) return std::nullopt;
  const size_t length = get16(&bytes[2]);
  if (length < 20 || length > bytes.size() - 4) return std::nullopt;
  std::string_view text(reinterpret_cast<const char*>(&bytes[4]), length);
  text = text.substr(0, text.find('\0'));
  const size_t comma = text.find(",i,");
  if (comma == text.npos || comma == 0 || comma > 223) return std::nullopt;
  const auto isid = parse_binary(text.substr(comma + 3), 6);
  if (!isid || isid->size() != 6) return std::nullopt;
  InitiatorPort port;
  port.name = normal_name(text.substr(0, comma));
  std::copy(isid->begin(), isid->end(), port.isid.begin());
  return port;
}

}  // namespace pnfs::target::scsi
