// What our stateid4.other says, and the special stateids (RFC 8881 8.2.3).
//
// other = server instance 4 · kind 1 · serial 7. The instance makes stateids of an earlier server start unknown
// instead of somebody else's; the kind lets TEST_STATEID, LAYOUTGET and traces tell what they hold.
#pragma once

#include <optional>
#include <string>

#include "common/nfs/basic.hpp"

namespace pnfs::mds::state {

using nfs::clientid4;
using nfs::stateid4;

// Inode number, as volume::FileId; this folder knows no volume.
using FileId = uint64_t;

enum class StateKind : uint8_t { open = 1, lock = 2, delegation = 3, layout = 4 };

struct StateKey {
  uint32_t instance = 0;
  StateKind kind = StateKind::open;
  uint64_t serial = 0;  // 56 bits, never 0

  stateid4 with_seqid(uint32_t seqid) const;
  // nullopt: no server instance of ours made it.
  static std::optional<StateKey> from(const stateid4& stateid);
};

enum class Special {
  none,
  anonymous,    // all zeros
  read_bypass,  // all ones
  current,      // other zeros, seqid 1: the compound's current stateid
  invalid,      // other zeros, seqid all ones: means "no stateid"; CLOSE returns it
  reserved,     // other all zeros or all ones with any other seqid: NFS4ERR_BAD_STATEID
};
Special special_kind(const stateid4& stateid);

stateid4 anonymous_stateid();
stateid4 invalid_stateid();

// Seqid arithmetic of RFC 8881 8.2.2: wraps from 2^32-1 to 1, because 0 means "the latest".
uint32_t next_seqid(uint32_t seqid);
enum class SeqidOrder { current, old, future };
SeqidOrder compare_seqid(uint32_t presented, uint32_t held);

// "open/7:3" for reasons and traces.
std::string describe(const stateid4& stateid);
std::string_view to_string(StateKind kind);

}  // namespace pnfs::mds::state
