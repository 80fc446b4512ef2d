// A client record (RFC 8881 18.35.4): one incarnation of one client owner, with its lease and its sessions.
#pragma once

#include <optional>

#include "common/session/types.hpp"

namespace pnfs::session {

struct Implementation {  // nfs_impl_id4
  std::string domain;
  std::string name;
};

struct Client {
  ClientId id = 0;
  std::string owner;  // co_ownerid, any bytes
  Verifier verifier;
  Principal principal;
  bool confirmed = false;
  uint32_t flags = 0;  // eia_flags as last accepted
  Implementation implementation;

  TimePoint created;
  TimePoint renewed;                // the lease runs from here
  bool lease_expired = false;       // reported by expired(); cleared when the client is heard again
  bool reclaim_complete = false;    // RECLAIM_COMPLETE with rca_one_fs FALSE was done
  bool callback_path_seen = false;  // a back channel has existed: from then on its loss is worth CB_PATH_DOWN

  std::vector<SessionId> sessions;
  uint64_t promised_bytes = 0;  // their slots with the replies they may keep

  // The CREATE_SESSION slot (RFC 8881 18.36.4): the sequence of the last request and its answer.
  uint32_t create_sequence = 0;
  struct Created {
    nfs::Status status;
    SessionId session;
    uint32_t flags = 0;
    ChannelAttrs fore;
    ChannelAttrs back;
  };
  std::optional<Created> created_answer;  // none yet: NFS4ERR_SEQ_MISORDERED
};

}  // namespace pnfs::session
