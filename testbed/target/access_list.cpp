#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "testbed/target/ietd_config.hpp"
#include "testbed/target/text.hpp"

namespace pnfs::target {

namespace {

namespace ip = boost::asio::ip;

std::string_view trim(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t\r");
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

bool same_prefix(const uint8_t* a, const uint8_t* b, int bits) {
  for (; bits >= 8; bits -= 8) {
    if (*a++ != *b++) return false;
  }
  return bits == 0 || (*a ^ *b) >> (8 - bits) == 0;
}

}  // namespace

Result<AccessList::Entry> AccessList::parse_entry(std::string_view text, bool patterns) {
  Entry entry;
  if (text == "ALL") {
    entry.any = true;
    return entry;
  }
  std::string_view host = text;
  std::string_view bits;
  if (const size_t slash = text.rfind('/'); slash != text.npos) {
    host = text.substr(0, slash);
    bits = text.substr(slash + 1);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  entry.network = ip::make_address(std::string(host), ec);
  if (ec) {
    if (!patterns) return error(Errc::invalid, "'{}' is neither an address nor a network", text);
    entry.pattern = normal_name(text);
    return entry;
  }
  const int most = entry.network.is_v4() ? 32 : 128;
  entry.prefix = most;
  if (!bits.empty()) {
    const auto [end, parse_error] = std::from_chars(bits.data(), bits.data() + bits.size(), entry.prefix);
    if (parse_error != std::errc{} || end != bits.data() + bits.size() || entry.prefix < 0 || entry.prefix > most)
      return error(Errc::invalid, "'{}': the prefix length is a number from 0 to {}", text, most);
  }
  return entry;
}

Result<AccessList> AccessList::parse(std::string_view text, const std::string& name, bool patterns) {
  AccessList list;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const size_t space = line.find_first_of(" \t");
    if (space == line.npos)
      return error(Errc::invalid, "{}:{}: expected a target name or ALL, then a list of who may see it", name, number);
    Line parsed;
    parsed.target = line.substr(0, space) == "ALL" ? "ALL" : normal_name(line.substr(0, space));
    for (const std::string_view item : split_list(line.substr(space))) {
      const auto entry = parse_entry(trim(item), patterns);
      if (!entry) return error(Errc::invalid, "{}:{}: {}", name, number, entry.error().reason);
      parsed.entries.push_back(*entry);
    }
    list.lines_.push_back(std::move(parsed));
  }
  return list;
}

bool AccessList::matches(const Entry& entry, const ip::address& address, std::string_view initiator) {
  if (entry.any) return true;
  if (entry.prefix < 0) {
    return !initiator.empty() && ::fnmatch(entry.pattern.c_str(), std::string(initiator).c_str(), 0) == 0;
  }
  if (entry.network.is_v4() != address.is_v4()) return false;
  if (address.is_v4())
    return same_prefix(entry.network.to_v4().to_bytes().data(), address.to_v4().to_bytes().data(), entry.prefix);
  return same_prefix(entry.network.to_v6().to_bytes().data(), address.to_v6().to_bytes().data(), entry.prefix);
}

bool AccessList::allows(std::string_view target, const io::Endpoint& endpoint, std::string_view initiator) const {
  ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  for (const Line& line : lines_) {
    const bool all = line.target == "ALL";
    if (!all && line.target != target) continue;
    if (std::ranges::any_of(line.entries, [&](const Entry& e) { return matches(e, address, initiator); })) return true;
    if (all) return false;
  }
  return false;
}

}  // namespace pnfs::target
