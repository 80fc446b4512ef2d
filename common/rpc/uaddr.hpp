// Universal addresses (RFC 5665): "10.0.0.1.8.1" is port 2049 at 10.0.0.1; netids "tcp" and "tcp6".
#pragma once

#include <string>
#include <string_view>

#include "common/io/stream.hpp"

namespace pnfs::rpc {

std::string to_uaddr(const io::Endpoint& endpoint);
std::string_view netid_of(const io::Endpoint& endpoint);
// Errc::unsupported: a netid other than tcp and tcp6. Errc::invalid: not a universal address.
Result<io::Endpoint> parse_uaddr(std::string_view netid, std::string_view uaddr);

}  // namespace pnfs::rpc
