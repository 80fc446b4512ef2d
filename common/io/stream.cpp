#include "common/io/stream.hpp"

#include <charconv>

namespace pnfs::io {

Result<Endpoint> parse_endpoint(std::string_view text, uint16_t default_port) {
  std::string_view host = text;
  std::string_view port_text;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return error(Errc::invalid, "address '{}': '[' without ']'", text);
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') return error(Errc::invalid, "address '{}': expected ':PORT' after ']'", text);
      port_text = text.substr(end + 2);
    }
  } else if (const size_t colon = text.rfind(':'); colon != text.npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
  }
  uint16_t port = default_port;
  if (!port_text.empty()) {
    const auto [end, ec] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (ec != std::errc{} || end != port_text.data() + port_text.size())
      return error(Errc::invalid, "address '{}': '{}' is not a port (0 to 65535)", text, port_text);
  }
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(std::string(host), ec);
  if (ec) return error(Errc::invalid, "address '{}': '{}' is not an IPv4 or IPv6 address", text, host);
  return Endpoint(address, port);
}

std::string to_string(const Endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v6()) return fmt::format("[{}]:{}", address.to_string(), endpoint.port());
  return fmt::format("{}:{}", address.to_string(), endpoint.port());
}

Task<Result<void>> read_exactly(Stream& stream, std::span<std::byte> into) {
  while (!into.empty()) {
    auto got = co_await stream.read_some(into);
    if (!got) co_return got.error();
    into = into.subspan(*got);
  }
  co_return Result<void>{};
}

}  // namespace pnfs::io
