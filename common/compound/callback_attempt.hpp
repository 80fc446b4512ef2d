#pragma once

#include "common/compound/backchannel.hpp"

namespace pnfs::compound {

// One callback on its way. Lives in Backchannel::call()'s frame.
struct Backchannel::Attempt {
  session::ClientId client = 0;
  CallbackOps ops;
  CallbackOptions options;
  session::SessionId session;
  session::ConnectionId connection = 0;
  std::shared_ptr<Channel> channel;
  uint32_t slot = 0;
  std::string fault;                             // rules that acted on it
  std::optional<nfs::nfsstat4> sequence_answer;  // a rule's, in the client's place
};

}  // namespace pnfs::compound
