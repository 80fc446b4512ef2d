#include "common/rpc/uaddr.hpp"

#include <netinet/in.h>
#include <rpc/rpc.h>
#include <rpc/rpc_com.h>

#include <charconv>
#include <cstdlib>

namespace pnfs::rpc {

namespace {
struct FreeNetbuf {
  void operator()(netbuf* p) const {
    std::free(p->buf);
    std::free(p);
  }
};
constexpr size_t kMaxUaddr = 64;  // an IPv6 address and two octets

// libtirpc takes any digits, and none, for the port's two octets; RFC 5665 5.2.3.3 does not.
bool ends_with_port(std::string_view uaddr) {
  for (int octet = 0; octet < 2; ++octet) {
    const size_t dot = uaddr.rfind('.');
    if (dot == uaddr.npos) return false;
    const std::string_view digits = uaddr.substr(dot + 1);
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (ec != std::errc{} || end != digits.data() + digits.size() || value > 255) return false;
    uaddr = uaddr.substr(0, dot);
  }
  return true;
}
}  // namespace

std::string to_uaddr(const io::Endpoint& endpoint) {
  io::Endpoint copy = endpoint;
  netbuf address{};
  address.buf = copy.data();
  address.len = address.maxlen = static_cast<unsigned>(copy.size());
  char* text = __rpc_taddr2uaddr_af(copy.address().is_v6() ? AF_INET6 : AF_INET, &address);
  if (text == nullptr) throw std::bad_alloc();
  std::string result(text);
  std::free(text);
  return result;
}

std::string_view netid_of(const io::Endpoint& endpoint) {
  return endpoint.address().is_v6() ? "tcp6" : "tcp";
}

Result<io::Endpoint> parse_uaddr(std::string_view netid, std::string_view uaddr) {
  if (netid != "tcp" && netid != "tcp6")
    return error(Errc::unsupported, "netid '{}' is neither 'tcp' nor 'tcp6'", netid.substr(0, 16));
  const bool v6 = netid == "tcp6";
  const bool plain = uaddr.size() <= kMaxUaddr &&
                     uaddr.find_first_not_of(v6 ? "0123456789abcdefABCDEF:." : "0123456789.") == uaddr.npos &&
                     ends_with_port(uaddr);
  const std::string text(plain ? uaddr : std::string_view());
  const std::unique_ptr<netbuf, FreeNetbuf> address(
      text.empty() ? nullptr : __rpc_uaddr2taddr_af(v6 ? AF_INET6 : AF_INET, text.c_str()));
  if (!address)
    return error(Errc::invalid, "'{}' is not a universal address of netid {} (RFC 5665)", uaddr.substr(0, kMaxUaddr),
                 netid);
  io::Endpoint endpoint(v6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), 0);
  std::memcpy(endpoint.data(), address->buf, std::min<size_t>(address->len, endpoint.size()));
  return endpoint;
}

}  // namespace pnfs::rpc
