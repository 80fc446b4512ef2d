// What clients and sessions are known by, in plain types that own their bytes: a session outlives the request that made
// it, the wire types do not.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/nfs/session.hpp"

namespace pnfs::session {

using ClientId = uint64_t;      // clientid4; 0 is nobody
using ConnectionId = uint64_t;  // as the transport counts them; 0 is none
using SessionId = nfs::sessionid4;
using Verifier = nfs::verifier4;

// Who sent a request. For AUTH_SYS the user and group: the machine name is the sender's own claim and may change, and
// supplementary groups differ between requests of one machine credential.
struct Principal {
  uint32_t flavor = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  auto operator<=>(const Principal&) const = default;
};

// channel_attrs4 without RDMA (RFC 8881 18.36.3). Bytes include the RPC header, not the record mark.
struct ChannelAttrs {
  uint32_t header_pad_bytes = 0;
  uint32_t max_request_bytes = 0;
  uint32_t max_response_bytes = 0;
  uint32_t max_cached_bytes = 0;
  uint32_t max_operations = 0;
  uint32_t max_requests = 0;  // slots
  auto operator<=>(const ChannelAttrs&) const = default;
};

// One credential that the client allows for callbacks (csa_sec_parms).
struct CallbackSecurity {
  uint32_t flavor = 0;  // nfs::kFlavorNone or nfs::kFlavorSys
  uint32_t stamp = 0;
  std::string machine;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> gids;
};

// Names one request of a session, as CB_SEQUENCE's referring calls do (RFC 8881 2.10.6.3).
struct RequestName {
  SessionId session;
  uint32_t slot = 0;
  uint32_t sequence = 0;
  auto operator<=>(const RequestName&) const = default;
};

struct SessionIdHash {
  size_t operator()(const SessionId& id) const {
    uint64_t a, b;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    return std::hash<uint64_t>{}(a * 0x9e3779b97f4a7c15ull ^ b);
  }
};

std::string to_string(const SessionId& id);
std::string to_string(const Principal& principal);

enum class Direction : uint8_t { fore = 1, back = 2, both = 3 };

// Why a client record went.
enum class Removed {
  destroyed,    // DESTROY_CLIENTID
  replaced,     // the same owner came back with a new verifier and confirmed its new id
  collision,    // another principal took the owner string over, and there was no live state
  expired,      // the lease ran out and the role let it go
  unconfirmed,  // never confirmed within a lease
};
std::string_view to_string(Removed why);

// What may be used, for each table. Beyond a limit the answer is an NFS error and nothing is lost.
struct Limits {
  uint32_t max_clients = 20'000;
  uint32_t max_sessions = 40'000;
  uint32_t max_sessions_per_client = 64;  // for the 65th NFS4ERR_NOSPC
  uint32_t max_slots = 64;                // for each fore channel
  uint32_t max_back_slots = 16;           // of those that the client offers we use no more
  uint32_t max_operations = 64;
  uint32_t max_request_bytes = (1u << 20) + 4096;  // 1 MiB of data and the rest of a WRITE compound
  uint32_t max_response_bytes = (1u << 20) + 4096;
  uint32_t max_cached_bytes = 8192;               // for each slot
  uint64_t max_reply_cache_bytes = 256ull << 20;  // kept by all sessions; near it they are asked to use fewer slots
  uint64_t max_client_bytes = 64ull << 20;        // may be kept for one client; a session gets fewer slots near it
  uint32_t max_connections_per_session = 64;
};

struct Config {
  uint32_t node = 0;           // 0..255: goes into every client id, so that no two nodes give out the same
  uint32_t boot_instance = 1;  // differs from that of the node's earlier starts in its low 24 bits
  Duration lease = std::chrono::seconds(90);
  Limits limits;
};

}  // namespace pnfs::session
